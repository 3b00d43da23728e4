import assert from "node:assert/strict";
import { test } from "node:test";
import { ApiError, createClient, problemOf } from "../../src/offscribe/web/api/client.js";
import { watchJob } from "../../src/offscribe/web/api/jobs.js";
import { exportAddress, findRecords } from "../../src/offscribe/web/api/records.js";

const answer = (status, body) => new Response(JSON.stringify(body), { status });
const refused = { error: { code: "not_found", message: "no such job", hint: "", request_id: "r1" } };

/** A server that gives these answers, one a call; an Error is thrown. */
function serverOf(...answers) {
  const asked = [];
  const fetch = async (path, init) => {
    asked.push(`${init.method ?? "GET"} ${path}`);
    const next = answers.shift();
    if (next instanceof Error || next instanceof DOMException) throw next;
    return next;
  };
  return { fetch, asked };
}

test("a refusal carries the server's problem", async () => {
  const client = createClient(serverOf(answer(404, refused)));
  await assert.rejects(client.get("/api/jobs/x"), (error) => {
    assert.ok(error instanceof ApiError);
    assert.deepEqual(error.problem, refused.error);
    return true;
  });
});

test("an answer that is not ours is reported by its status", () => {
  assert.equal(problemOf(502, "<html>Bad gateway</html>").message, "HTTP 502");
  assert.equal(problemOf(500, "null").code, "bad_answer");
  assert.equal(problemOf(500, '{"error":"text"}').code, "bad_answer");
});

test("a lost and a found server are told apart from an ended call", async () => {
  const heard = [];
  const edge = { onReach: () => heard.push("reach"), onLoss: () => heard.push("loss") };
  const { fetch } = serverOf(
    new TypeError("Failed to fetch"),
    new DOMException("ended", "AbortError"),
    answer(200, {}),
  );
  const client = createClient({ fetch, ...edge });
  await assert.rejects(client.get("/a"), (error) => error.problem.code === "unreachable");
  await assert.rejects(client.get("/a"), { name: "AbortError" });
  await client.get("/a");
  assert.deepEqual(heard, ["loss", "reach"]);
});

test("a server that dies while it answers is lost, in a success and in a refusal", async () => {
  const broken = (status) =>
    new Response(
      new ReadableStream({
        start(controller) {
          controller.enqueue(new TextEncoder().encode('{"half'));
          controller.error(new TypeError("Failed to fetch"));
        },
      }),
      { status },
    );
  let lost = 0;
  const { fetch } = serverOf(broken(200), broken(404), broken(200));
  const client = createClient({ fetch, onLoss: () => (lost += 1) });
  const isLoss = (error) => error.problem.code === "unreachable";
  await assert.rejects(client.get("/a"), isLoss);
  await assert.rejects(client.get("/a"), isLoss);
  await assert.rejects(client.blob("/a"), isLoss);
  assert.equal(lost, 3);
});

test("a success that is not JSON is a bad answer, not a lost server", async () => {
  const client = createClient(serverOf(new Response("<html>", { status: 200 })));
  await assert.rejects(client.get("/a"), (error) => error.problem.code === "bad_answer");
});

const jobAt = (state, ...indices) => answer(200, { state, segments: indices.map((index) => ({ index })) });

async function watch(...answers) {
  const server = serverOf(...answers);
  const updates = [];
  const pauses = [];
  await watchJob(createClient(server), "j 1", {
    onUpdate: (job) => updates.push(job.state),
    sleep: async (ms) => void pauses.push(ms),
    signal: new AbortController().signal,
  });
  return { asked: server.asked, updates, pauses };
}

test("a job is followed to its end, asking only for new segments", async () => {
  const { asked, updates, pauses } = await watch(
    jobAt("waiting"),
    jobAt("running", 0, 1),
    jobAt("running"),
    jobAt("done", 2),
  );
  assert.deepEqual(updates, ["waiting", "running", "running", "done"]);
  assert.deepEqual(asked.map((line) => line.split("after=")[1]), ["0", "0", "2", "2"]);
  assert.match(asked[0], /^GET \/api\/jobs\/j%201\?/);
  assert.deepEqual(pauses, [1500, 500, 500]);
});

test("following outlives a server that goes away", async () => {
  const { updates, asked } = await watch(
    jobAt("running", 0),
    new TypeError("gone"),
    new TypeError("gone"),
    jobAt("done", 1),
  );
  assert.deepEqual(updates, ["running", "done"]);
  assert.equal(asked.at(-1).split("after=")[1], "1");
});

test("following a job that is unknown ends with its problem", async () => {
  await assert.rejects(watch(answer(404, refused)), (error) => error.problem.code === "not_found");
});

test("an ended scope ends the following", async () => {
  const server = serverOf();
  await watchJob(createClient(server), "j", {
    onUpdate: () => assert.fail("asked after the end"),
    sleep: async () => {},
    signal: AbortSignal.abort(),
  });
  assert.deepEqual(server.asked, []);
});

test("a listing and a search come in one shape", async () => {
  const record = { id: "a", excerpt: "开头" };
  const hit = { record, snippet: [{ text: "会议", hit: true }], start: 3, index: 1 };
  const server = serverOf(
    answer(200, { records: [record], total: 1 }),
    answer(200, { query: "会 议", total: 1, results: [hit] }),
  );
  const client = createClient(server);
  const listed = await findRecords(client, { query: "" });
  assert.deepEqual(listed.items[0].snippet, [{ text: "开头", hit: false }]);
  assert.deepEqual((await findRecords(client, { query: "会 议", offset: 50 })).items, [hit]);
  assert.equal(server.asked[1], "GET /api/search?q=%E4%BC%9A%20%E8%AE%AE&limit=50&offset=50");
});

test("an export names its record safely", () => {
  assert.equal(
    exportAddress("a/b", { format: "srt", text: "itn" }),
    "/api/records/a%2Fb/export?format=srt&text=itn",
  );
});
