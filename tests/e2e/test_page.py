"""What a person does on the page, with a real server, model, recording and browser."""

from __future__ import annotations

import io
import re
import signal
import wave
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import FilePayload, Page, expect

HOSTILE = [
    "<img src=x onerror=document.title='owned'>.wav",
    "🎙️ réunion & “quotes” {name}.wav",
    "שלום עולם.wav",
    "invoice \u202e3pm.wav",
]


def recording(name: str, *, seconds: float = 1.0) -> FilePayload:
    """A short silent WAV under *name*, as a file the person chooses."""
    sound = io.BytesIO()
    with wave.open(sound, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(16_000)
        out.writeframes(bytes(2 * int(16_000 * seconds)))
    return {"name": name, "mimeType": "audio/wav", "buffer": sound.getvalue()}


def no_broken_rule(page: Page) -> None:
    """Every rule of axe-core, colour contrast among them, holds for what is on the page now."""
    found = Axe().run(page).response["violations"]
    assert [(rule["id"], [node["html"] for node in rule["nodes"]]) for rule in found] == []


def no_sideways_scroll(page: Page) -> None:
    width, window = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    assert width <= window, f"the page is {width} px wide in a window of {window}"


# --- from a recording to text ------------------------------------------------------------------


def test_a_chosen_recording_becomes_text_with_times(visit, sample):
    window = visit()
    page = window.open()
    window.transcribe(sample)
    rows = page.locator(".segment")
    expect(rows.first).to_be_visible()
    text = page.locator(".segments").inner_text()
    assert "会议" in text
    assert "测试报告" in text
    times = page.locator(".segment time").all_inner_texts()
    assert times[0] == "0:00"
    assert times == sorted(times)
    assert rows.first.locator(".segment-text").get_attribute("lang") == "zh-CN"


def test_a_dropped_recording_is_taken_wherever_it_lands(visit):
    window = visit()
    page = window.open()
    transfer = page.evaluate_handle(
        """async (address) => {
          const sound = await (await fetch(address)).blob();
          const transfer = new DataTransfer();
          transfer.items.add(new File([sound], "dropped.flac", { type: "audio/flac" }));
          return transfer;
        }""",
        "/api/sample/zh",
    )
    page.dispatch_event("header", "dragenter", {"dataTransfer": transfer})
    expect(page.locator(".dropzone.is-over")).to_be_visible()
    page.dispatch_event("header", "drop", {"dataTransfer": transfer})
    expect(page.locator(".chosen-name")).to_have_text("dropped.flac")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".task.is-done .segment").first).to_be_visible(timeout=120_000)


def test_several_recordings_are_several_jobs(visit, sample):
    window = visit()
    page = window.open()
    window.transcribe(sample, recording("silence.wav"))
    names = page.locator(".task-name").all_inner_texts()
    assert names == ["silence.wav", "zh.flac"]
    expect(page.locator(".task.is-done")).to_have_count(2)


def test_a_sample_runs_at_one_click_in_its_own_language(visit):
    page = visit(locale="en-US").open()
    page.get_by_role("button", name="English", exact=True).click()
    expect(page.locator(".task.is-done .segments")).to_contain_text("March", timeout=120_000)
    assert page.locator(".segment-text").first.get_attribute("lang") == "en"


def test_silence_gives_a_record_that_says_so(visit):
    window = visit()
    page = window.open()
    window.transcribe(recording("quiet.wav", seconds=2))
    expect(page.locator(".sheet")).to_have_text("这段录音里没有检测到人声。")


def test_raw_and_normalised_text_are_two_tabs(visit, numbered):
    page = visit().open(f"/records/{numbered}")
    chosen = page.get_by_role("tab", selected=True)
    expect(chosen).to_have_text("规整文本")
    expect(page.locator(".segments")).to_contain_text("8%")
    chosen.press("ArrowRight")
    expect(page.get_by_role("tab", selected=True)).to_have_text("原始文本")
    expect(page.locator(".segments")).to_contain_text("百分之八")


def test_a_click_on_a_time_plays_from_there(visit, recorded):
    page = visit().open(f"/records/{recorded}")
    row = page.locator(".segment").nth(1)
    row.locator("button.time").click()
    expect(row).to_have_class(re.compile("is-playing"))
    assert page.evaluate("document.querySelector('audio').currentTime") > 3


def test_subtitles_download_as_srt_in_order(visit, recorded):
    page = visit().open(f"/records/{recorded}")
    with page.expect_download() as download:
        page.get_by_role("link", name="下载为 SRT").click()
    assert download.value.suggested_filename == "zh.srt"
    blocks = Path(download.value.path()).read_text("utf-8-sig").strip().split("\n\n")
    previous_end = 0.0
    for number, block in enumerate(blocks, start=1):
        index, times, *lines = block.splitlines()
        assert int(index) == number
        start, end = map(srt_seconds, times.split(" --> "))
        assert previous_end <= start < end <= 23
        previous_end = end
        assert "".join(lines).strip()
    assert "会议" in "".join(blocks)


def srt_seconds(stamp: str) -> float:
    match = re.fullmatch(r"(\d\d):(\d\d):(\d\d),(\d{3})", stamp)
    assert match is not None, stamp
    hours, minutes, seconds, milliseconds = map(int, match.groups())
    return hours * 3600 + minutes * 60 + seconds + milliseconds / 1000


def test_copy_takes_the_text_that_is_shown(visit, numbered):
    window = visit(permissions=["clipboard-read", "clipboard-write"])
    page = window.open(f"/records/{numbered}")
    page.get_by_role("button", name="复制").click()
    expect(page.locator(".notice")).to_contain_text("已复制")
    assert "8%" in page.evaluate("navigator.clipboard.readText()")


# --- what can go wrong --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("locale", "title"),
    [
        ("zh-CN", "这个文件不是可以读取的录音"),
        ("en-US", "This file is not a recording that can be read"),
    ],
)
def test_an_unreadable_file_is_told_in_the_reader_s_language(visit, locale, title):
    window = visit(locale=locale)
    window.expect_console("the server responded with a status of 4")
    page = window.open()
    window.transcribe(
        {"name": "notes.mp3", "mimeType": "audio/mpeg", "buffer": b"only words, no sound " * 99}
    )
    expect(page.get_by_role("alert")).to_contain_text(title)
    expect(page.get_by_role("alert")).to_contain_text("FLAC")


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_name_is_text_everywhere(visit, name):
    window = visit()
    page = window.open()
    window.transcribe(recording(name))
    expect(page.locator(".task-name")).to_have_text(name)
    kept = name.replace("\u202e", "")  # the server keeps no control characters in names
    page.get_by_role("link", name="打开记录").click()
    expect(page.locator("h1")).to_have_text(kept)
    page.get_by_role("link", name="识别历史").first.click()
    expect(page.locator(".record-link").first).to_have_text(kept)
    assert page.locator("main img").count() == 0
    assert "owned" not in page.title()


def test_esc_cancels_what_runs_and_it_can_be_tried_again(visit, sample):
    window = visit()
    page = window.open()
    window.choose(sample)
    page.keyboard.press("Control+Enter")
    page.locator(".task").wait_for()
    page.keyboard.press("Escape")
    expect(page.locator(".task.is-cancelled")).to_be_visible()
    page.get_by_role("button", name="重试").click()
    expect(page.locator(".task.is-done")).to_be_visible(timeout=120_000)


def test_enter_that_ends_a_composition_starts_nothing(visit, sample):
    window = visit()
    page = window.open()
    window.choose(sample)
    page.locator("#hotwords").focus()
    page.evaluate(
        """() => document.activeElement.dispatchEvent(new KeyboardEvent("keydown",
          { key: "Enter", ctrlKey: true, isComposing: true, bubbles: true }))"""
    )
    expect(page.locator(".chosen li")).to_have_count(1)
    expect(page.locator(".task")).to_have_count(0)


def test_a_record_that_is_gone_says_so(visit):
    window = visit()
    window.expect_console("the server responded with a status of 404")
    page = window.open("/records/nothing-like-this")
    expect(page.get_by_role("alert")).to_contain_text("它不存在，或已被删除")


def test_a_reload_finds_the_job_that_runs(visit, sample):
    window = visit()
    page = window.open()
    window.choose(sample)
    with page.expect_response(lambda answer: answer.status == 202):
        page.locator("button.start").click()
    page.reload()
    expect(page.locator(".task-name")).to_have_text("zh.flac")
    expect(page.locator(".task.is-done .segment").first).to_be_visible(timeout=120_000)


def test_a_server_that_is_killed_and_comes_back_is_noticed_and_the_job_goes_on(
    visit, new_server, sample
):
    server = new_server()
    window = visit(at=server)
    window.expect_console("ERR_CONNECTION_REFUSED|ERR_CONNECTION_RESET|ERR_EMPTY_RESPONSE")
    window.expect_console("ERR_INCOMPLETE_CHUNKED_ENCODING|ERR_SOCKET_NOT_CONNECTED")
    window.expect_console("ERR_CONTENT_LENGTH_MISMATCH")
    page = window.open()
    window.choose(sample)
    with page.expect_response(lambda answer: answer.status == 202):
        page.locator("button.start").click()
    server.stop(signal.SIGKILL)
    expect(page.get_by_role("alert")).to_contain_text("正在重新连接")
    server.start()
    expect(page.locator(".banner")).to_have_count(0)
    expect(page.locator(".task.is-done .segments")).to_contain_text("会议", timeout=120_000)


# --- history ------------------------------------------------------------------------------------


def test_a_word_of_two_characters_is_found_and_opened_where_it_was_said(visit, recorded):
    page = visit().open("/history")
    page.get_by_role("searchbox").fill("会议")
    hit = page.locator(f'.record-row:has(a[href*="{recorded}"])')
    expect(hit.locator("mark")).to_have_text("会议")
    said_at = hit.locator(".record-snippet time").inner_text()
    hit.locator("a").click()
    row = page.locator(".segment.is-hit")
    expect(row.locator("mark")).to_have_text("会议")
    expect(row.locator("time")).to_have_text(said_at)
    expect(row).to_be_in_viewport()
    page.go_back()
    expect(page.get_by_role("searchbox")).to_have_value("会议")
    page.go_back()
    expect(page).not_to_have_url(re.compile("/records/"))


@pytest.mark.usefixtures("recorded")
def test_a_search_without_hits_says_what_to_do(visit):
    page = visit().open("/history?q=麒麟")
    expect(page.locator(".empty")).to_contain_text("没有找到“麒麟”")
    page.get_by_role("button", name="显示全部记录").click()
    expect(page.locator(".record-row").first).to_be_visible()


def test_an_empty_history_leads_to_the_first_recording(visit, new_server):
    page = visit(at=new_server()).open("/history")
    page.get_by_role("link", name="去识别一段录音").click()
    expect(page.locator(".steps")).to_be_visible()


def test_a_deleted_record_comes_back_by_undo(visit):
    window = visit()
    page = window.open()
    window.transcribe(recording("to delete.wav"))
    page.get_by_role("link", name="识别历史").first.click()
    row = page.locator(".record-row", has_text="to delete.wav")
    page.get_by_role("button", name="删除 to delete.wav").click()
    expect(row).to_have_count(0)
    no_broken_rule(page)
    page.get_by_role("button", name="撤销").click()
    expect(row).to_have_count(1)
    page.reload()
    expect(row).to_have_count(1)


def test_deleting_an_open_record_leads_to_the_history_and_stays_deleted(visit):
    window = visit()
    page = window.open()
    window.transcribe(recording("gone for good.wav"))
    page.get_by_role("link", name="打开记录").click()
    page.get_by_role("button", name="删除", exact=True).click()
    expect(page).to_have_url(re.compile("/history$"))
    page.reload()
    page.locator(".record-row").first.wait_for()
    expect(page.locator(".record-row", has_text="gone for good.wav")).to_have_count(0)


# --- for everybody ------------------------------------------------------------------------------


def test_the_page_says_that_nothing_went_out(visit):
    page = visit().open()
    expect(page.locator(".badge")).to_have_text("全离线 · 0 次外联")


def test_an_outbound_attempt_turns_the_badge_into_a_warning(visit):
    window = visit(locale="en-US")

    def with_attempts(route):
        answer = route.fetch()
        body = answer.json() | {"outbound": {"attempts": 2, "last": "example.test:443"}}
        route.fulfill(response=answer, json=body)

    window.page.route("**/api/system", with_attempts)
    page = window.open()
    badge = page.locator(".badge.is-alarm")
    expect(badge).to_contain_text("2 outbound attempts refused")
    expect(badge).to_contain_text("example.test:443")


def test_language_and_theme_are_chosen_on_the_page_and_kept(visit):
    page = visit(locale="en-US", color_scheme="light").open()
    expect(page.locator("h1")).to_have_text("Transcribe")
    page.get_by_label("Language of the page").select_option("zh-CN")
    expect(page.locator("h1")).to_have_text("语音识别")
    page.get_by_label("主题").select_option("dark")
    page.reload()
    expect(page.locator("h1")).to_have_text("语音识别")
    assert page.evaluate("document.documentElement.lang") == "zh-CN"
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    assert page.evaluate("Object.keys(localStorage).sort()") == [
        "offscribe.locale",
        "offscribe.theme",
    ]


def test_everything_can_be_done_with_the_keyboard_alone(visit, sample):
    window = visit()
    page = window.open()
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    page.keyboard.press("Enter")
    tab_to(page, "input[type=file]")
    window.choose(sample)  # the file dialogue belongs to the system
    tab_to(page, "button.start")
    page.keyboard.press("Enter")
    expect(page.locator(".task.is-done .segment").first).to_be_visible(timeout=120_000)
    tab_to(page, "[role=tab][aria-selected=true]")
    page.keyboard.press("ArrowRight")
    tab_to(page, "button.time")
    tab_to(page, ".task-head a", backwards=True)
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/records/"))
    expect(page.locator("h1")).to_be_focused()


def tab_to(page: Page, selector: str, *, backwards: bool = False) -> None:
    for _ in range(60):
        page.keyboard.press("Shift+Tab" if backwards else "Tab")
        if page.evaluate("(selector) => document.activeElement.matches(selector)", selector):
            return
    pytest.fail(f"Tab never reaches {selector}")


VIEWS = ["/", "/history", "/history?q=会议", "record"]


@pytest.mark.parametrize("width", [320, 360])
@pytest.mark.parametrize("locale", ["zh-CN", "en-US"])
def test_a_narrow_window_never_scrolls_sideways(visit, recorded, locale, width):
    window = visit(locale=locale, viewport={"width": width, "height": 740})
    for view in VIEWS:
        page = window.open(view.replace("record", f"/records/{recorded}"))
        page.wait_for_load_state("networkidle")
        no_sideways_scroll(page)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("locale", ["zh-CN", "en-US"])
def test_no_view_breaks_a_rule_of_accessibility(visit, recorded, locale, scheme):
    window = visit(locale=locale, color_scheme=scheme)
    for view in VIEWS:
        page = window.open(view.replace("record", f"/records/{recorded}"))
        page.wait_for_load_state("networkidle")
        no_broken_rule(page)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_result_and_an_error_break_no_rule_of_accessibility(visit, sample, scheme):
    window = visit(color_scheme=scheme)
    window.expect_console("the server responded with a status of 4")
    page = window.open()
    window.transcribe(
        sample, {"name": "bad.mp3", "mimeType": "audio/mpeg", "buffer": b"no sound" * 99}
    )
    page.get_by_role("button", name="展开文字").click()
    page.locator(".result").wait_for()
    no_broken_rule(page)


def test_the_api_page_comes_from_the_package_and_describes_the_api(visit):
    window = visit()
    window.page.goto(window.server.url + "/docs")
    expect(window.page.locator(".opblock", has_text="/api/transcribe").first).to_be_visible()
    assert window.page.locator("img[src*='//']").count() == 0
