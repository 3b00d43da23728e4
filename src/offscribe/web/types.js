// @ts-check
/**
 * The shapes that come from the server, as `/openapi.json` describes them. Times without a unit in
 * their name are seconds from the start of the recording.
 *
 * @typedef {{ code: string, message: string, hint: string, request_id?: string }} Problem
 *
 * @typedef {{ text: string, start: number, end: number }} Word
 *
 * @typedef {{ index: number, start: number, end: number, text: string, itn_text: string,
 *   words?: Word[] | null }} Segment
 *
 * @typedef {"waiting" | "paused" | "running" | "done" | "failed" | "cancelled"} JobState
 *
 * @typedef {{ id: string, kind: string, state: JobState, stage: string | null, name: string,
 *   created_at: string, duration: number | null, done: number, speed: number | null,
 *   eta: number | null, model: string, language: string, n_segments: number,
 *   record_id: string | null, warnings: string[], error: Problem | null,
 *   segments?: Segment[] }} Job
 *
 * @typedef {{ id: string, name: string, created_at: string, duration: number, language: string,
 *   model: string, excerpt: string, source: string }} RecordSummary
 *
 * @typedef {RecordSummary & { text: string, itn_text: string, segments: Segment[],
 *   options: { itn?: boolean, script?: string }, warnings: string[], has_audio: boolean }} Transcript
 *
 * @typedef {{ text: string, hit: boolean }} SnippetPiece
 *
 * @typedef {{ record: RecordSummary, snippet: SnippetPiece[], start: number | null,
 *   index: number | null }} SearchHit
 *
 * @typedef {{ version: string, home: string,
 *   model: { id: string, title: string, installed: boolean, times: string, languages: string[],
 *     error?: Problem | null },
 *   device: { device: string, reason: string } | null,
 *   worker: { state: string, pid: number | null },
 *   outbound: { attempts: number, last: string | null },
 *   disk_free_bytes: number, languages: string[], formats: string[], samples: string[] }} System
 *
 * @typedef {{ language: string, itn: boolean, hotwords: string, script: string }} RecognizeOptions
 */
export {};
