"""Pictures that a prompt names become parts of the message, and nothing else does."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from PIL import Image

from mini_agent import (
    AgentConfig,
    ImageLimits,
    LocalMCPInvoker,
    awith_images,
    run_mcp_mini_agent,
    with_images,
)
from mini_agent.agent.images.attach import find_image_names
from mini_agent.errors import BadRequest, NotConfigured
from mini_agent.messages import assistant, system, user
from mini_agent.testing import Models, ScriptedServer, refusal
from tests.extras.pictures import encoded, parts, pictures


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("What is in cat.png?", ["cat.png"]),
        ("Compare a/b.JPG, ./c.webp; and (d.gif).", ["a/b.JPG", "./c.webp", "d.gif"]),
        ("Look at 'my cat.png' and \"the dog.jpeg\".", ["my cat.png", "the dog.jpeg"]),
        ("cat.png and cat.png again", ["cat.png"]),
        ("![cat](cat.png)", ["cat.png"]),
        ("See https://a.example/x.png?s=2, then.", ["https://a.example/x.png?s=2"]),
        ("![x](https://a.example/x_(1).png)", ["https://a.example/x_(1).png"]),
        ("https://a.example/page.html and report.pdf", []),
        ("it's fine, don't look for .png or png", []),
        ("http://[broken/x.png", []),
    ],
)
def test_names_that_end_like_a_pictures_are_found(text: str, named: list[str]) -> None:
    assert find_image_names(text) == named


def test_a_picture_follows_the_text_that_names_it(album: Path) -> None:
    (shown,) = with_images([user("What is in cat.png?")], folder=album)
    assert parts(shown)[0] == {"type": "text", "text": "What is in cat.png?"}
    assert [image.size for image in pictures(shown)] == [(40, 20)]


def test_a_name_of_no_file_is_text_like_any_other(album: Path) -> None:
    asked = [user("Draw a cat and save it as dog.png.")]
    assert with_images(asked, folder=album) == asked


def test_only_what_the_user_says_is_read(album: Path) -> None:
    said = [system("cat.png"), user("Hello."), assistant("cat.png"), user("Well?")]
    assert with_images(said, folder=album) == said


async def test_messages_that_hold_parts_already_are_left_alone(album: Path) -> None:
    once = await awith_images([user("cat.png")], folder=album)
    assert await awith_images(once, folder=album) == once


def test_a_large_picture_is_made_smaller_and_keeps_its_shape(tmp_path: Path) -> None:
    Image.new("RGB", (3000, 1500), "blue").save(tmp_path / "wide.jpg")
    (shown,) = with_images([user("wide.jpg")], folder=tmp_path)
    assert [(image.size, image.format) for image in pictures(shown)] == [((1024, 512), "JPEG")]


def test_a_picture_is_turned_upright_and_loses_what_its_file_tells(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # orientation: turned by 90 degrees
    exif[0x010F] = "a camera"
    lying = Image.new("RGB", (40, 20), "blue")
    (tmp_path / "lying.jpg").write_bytes(encoded(lying, "JPEG", exif=exif))
    (shown,) = with_images([user("lying.jpg")], folder=tmp_path)
    (image,) = pictures(shown)
    assert (image.size, dict(image.getexif())) == ((20, 40), {})


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P", "L", "1", "CMYK"])
def test_every_kind_of_colour_is_shown_on_white(tmp_path: Path, mode: str) -> None:
    kind = "JPEG" if mode == "CMYK" else "PNG"
    name = f"picture.{kind.lower()}"
    (tmp_path / name).write_bytes(encoded(Image.new(mode, (8, 8)), kind))
    (shown,) = with_images([user(name)], folder=tmp_path)
    assert [image.mode for image in pictures(shown)] == ["RGB"]


def test_what_is_transparent_becomes_white(tmp_path: Path) -> None:
    Image.new("RGBA", (4, 4), (0, 0, 0, 0)).save(tmp_path / "glass.png")
    (shown,) = with_images([user("glass.png")], folder=tmp_path)
    assert pictures(shown)[0].getpixel((0, 0)) == (255, 255, 255)


def test_a_file_outside_of_the_folder_is_refused_also_through_a_link(album: Path) -> None:
    inside = album / "inside"
    inside.mkdir()
    (inside / "link.png").symlink_to(album / "cat.png")
    for name in ("../cat.png", str(album / "cat.png"), "link.png"):
        with pytest.raises(BadRequest, match="is outside of the folder") as refused:
            with_images([user(name)], folder=inside)
        assert refused.value.field == "messages[0].content"


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"no picture at all", "is no picture that can be read"),
        (b"", "is no picture that can be read"),
        (encoded(Image.new("RGB", (300, 300), "red"), "PNG")[:-60], "is broken"),
        (b"\x89PNG\r\n\x1a\n" + b"\0" * 50, "broken|no picture"),
        (encoded(Image.new("RGB", (9, 9)), "TIFF"), "is no picture that can be read"),
    ],
)
def test_what_is_no_picture_is_refused_by_name(tmp_path: Path, content: bytes, why: str) -> None:
    (tmp_path / "odd.png").write_bytes(content)
    with pytest.raises(BadRequest, match=rf"odd\.png.*{why}|{why}"):
        with_images([user("odd.png")], folder=tmp_path)


@pytest.mark.parametrize("size", [(8000, 8000), (20000, 20000)])
def test_a_bomb_of_pixels_is_refused_before_it_is_decoded(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    Image.new("1", size).save(tmp_path / "bomb.png")
    with pytest.raises(BadRequest, match="more than 50000000 pixels"):
        with_images([user("bomb.png")], folder=tmp_path)


def test_a_file_of_many_bytes_is_refused(album: Path) -> None:
    with pytest.raises(BadRequest, match=r"cat\.png has more than 0 KiB"):
        with_images([user("cat.png")], folder=album, limits=ImageLimits(bytes=10))


def test_too_many_pictures_are_refused(album: Path) -> None:
    asked = [user("cat.png"), user("cat.png")]
    with pytest.raises(BadRequest, match="one picture more than the 1") as refused:
        with_images(asked, folder=album, limits=ImageLimits(images=1))
    assert refused.value.field == "messages[1].content"


def test_a_model_known_to_see_nothing_is_refused(album: Path) -> None:
    with pytest.raises(BadRequest, match=r"gpt-3\.5-turbo takes no pictures") as refused:
        with_images([user("cat.png")], folder=album, model="gpt-3.5-turbo")
    assert (refused.value.field, "ollama/qwen2.5vl" in refused.value.hint) == ("model", True)


@pytest.mark.parametrize("model", ["gpt-4o-mini", "llamafile/of-my-own"])
def test_a_model_that_sees_or_that_nobody_knows_passes(album: Path, model: str) -> None:
    assert pictures(with_images([user("cat.png")], folder=album, model=model)[0])


def test_a_model_that_ollama_says_is_blind_is_refused(
    album: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ScriptedServer(models=Models()) as server:
        monkeypatch.setenv("OLLAMA_API_BASE", server.url)
        with pytest.raises(BadRequest, match="ollama/any takes no pictures"):
            with_images([user("cat.png")], folder=album, model="ollama/any")


def test_a_model_that_ollama_says_can_see_passes(
    album: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ScriptedServer(models=Models(capabilities=("completion", "vision"))) as server:
        monkeypatch.setenv("OLLAMA_API_BASE", server.url)
        assert pictures(with_images([user("cat.png")], folder=album, model="ollama/any")[0])


def test_a_blind_model_that_gets_a_picture_ends_the_run_with_what_to_do(album: Path) -> None:
    says = refusal(500, "image input is not supported - hint: provide the mmproj")
    with ScriptedServer([says]) as server:
        config = AgentConfig(
            model="llamafile/any", completion_kwargs={"api_base": server.openai_url}
        )
        asked = with_images([user("cat.png")], folder=album)
        result = run_mcp_mini_agent(asked, LocalMCPInvoker(), config)
    assert result.stopped_reason == "error"
    assert "llamafile/any takes no pictures" in (result.error or "")


def test_without_pictures_no_model_is_asked(album: Path) -> None:
    assert with_images([user("Hello.")], folder=album, model="gpt-3.5-turbo") == [user("Hello.")]


@pytest.mark.parametrize("api", ["ollama", "llamafile"])
def test_the_picture_reaches_the_model_server(album: Path, api: str) -> None:
    with ScriptedServer(["A red half."]) as server:
        base = server.url if api == "ollama" else server.openai_url
        config = AgentConfig(model=f"{api}/any", completion_kwargs={"api_base": base})
        asked = with_images([user("What is in cat.png?")], folder=album)
        result = run_mcp_mini_agent(asked, LocalMCPInvoker(), config)
    assert result.final_answer == "A red half."
    said = server.requests[0].messages[-1]
    assert "iVBORw0KGgo" in str(said.get("images") if api == "ollama" else said["content"])


def test_without_pillow_the_error_says_what_to_install(
    album: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "PIL", None)
    with pytest.raises(NotConfigured, match=r"pip install 'mini-agent\[images\]'"):
        with_images([user("cat.png")], folder=album)
