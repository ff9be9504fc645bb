"""Pictures in the results of tools: shown at once, in types that models take, or left out."""

from __future__ import annotations

import base64
import io

import pytest
from PIL import Image

from mini_agent.coding.pictures import convert_picture
from mini_agent.messages import JsonObject
from mini_agent.testing import ScriptedServer, call, refusal
from mini_agent.testing.script import Script
from tests.coding.harness import Harness, run_command

REFUSALS = (
    (400, "image_url is only supported by certain models"),
    (400, "messages[3].content must be a string"),
    (422, "Input should be a valid string"),
    (400, "unknown variant `image_url`, expected `text`"),
    (404, "No endpoints found that support image input"),
    (500, "image input is not supported - hint: you may need to provide the mmproj"),
    (400, "At most 0 image(s) may be provided in one prompt."),
)


def picture(kind: str) -> bytes:
    content = io.BytesIO()
    Image.new("RGB", (2, 2), "red").save(content, kind)
    return content.getvalue()


def url_of(content: bytes, kind: str) -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"


def shown_pictures(messages: list[JsonObject]) -> int:
    return str(messages).count("'image_url': {")


def seen(harness: Harness, script: Script, *arguments: str) -> list[int]:
    (harness.project / "dot.png").write_bytes(picture("PNG"))
    done = run_command(harness, script, "-p", "Look.", *arguments)
    assert done.code == 0, done.stderr
    return [shown_pictures(list(messages)) for messages in done.requests]


def test_a_picture_that_was_read_is_in_the_next_request(harness: Harness) -> None:
    assert seen(harness, [call("Read", file_path="dot.png"), "A dot."]) == [0, 1]


@pytest.mark.parametrize(("status", "words"), REFUSALS)
def test_a_refused_picture_is_left_out_with_a_word_and_never_sent_again(
    harness: Harness, status: int, words: str
) -> None:
    script: Script = [call("Read", file_path="dot.png"), refusal(status, words), "I see nothing."]
    assert seen(harness, script) == [0, 1, 0]
    done = run_command(harness, ["Still nothing."], "-c", "-p", "And now?")
    assert shown_pictures(list(done.requests[0])) == 0
    assert "was left out here" in str(done.requests[0])


def test_ollama_gets_pictures_in_its_own_form(harness: Harness) -> None:
    (harness.project / "dot.png").write_bytes(picture("PNG"))
    with ScriptedServer([call("Read", file_path="dot.png"), "A dot."]) as server:
        address = server.url
        done = run_command(
            harness, [], "-p", "Look.", "--model", "ollama/m", OLLAMA_API_BASE=address
        )
    assert (done.code, done.stdout) == (0, "A dot.\n")
    assert len(server.requests[1].messages[-1]["images"]) == 1  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", ["BMP", "TIFF", "ICO"])
def test_a_type_that_models_do_not_take_is_converted(kind: str) -> None:
    shown = convert_picture(url_of(picture(kind), f"image/{kind.lower()}"))
    assert str(shown["image_url"]).startswith("{'url': 'data:image/png;base64,")


def test_a_wrong_type_is_put_right() -> None:
    shown = convert_picture(url_of(picture("JPEG"), "image/png"))
    assert str(shown["image_url"]).startswith("{'url': 'data:image/jpeg;base64,")


@pytest.mark.parametrize(
    ("url", "words"),
    [
        (url_of(b"<svg xmlns='x'><text>Hi</text></svg>", "image/svg+xml"), "<text>Hi</text>"),
        (url_of(b"no picture at all", "image/heic"), "image/heic, 17 bytes"),
        ("data:image/png;base64,A", "could not be read"),
    ],
)
def test_what_cannot_be_shown_is_described(url: str, words: str) -> None:
    assert words in str(convert_picture(url)["text"])
