"""Pictures by URL: https, public addresses, bounded; over real TLS on loopback."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from mini_agent import with_images
from mini_agent.agent.images.attach import ImageAttacher
from mini_agent.agent.images.sources import DEFAULT_IMAGE_LIMITS, ImageLimits
from mini_agent.errors import BadRequest
from mini_agent.messages import Message, user
from tests.extras.pictures import encoded, pictures
from tests.extras.web import HOST, PUBLIC, Page, Web, web_of

CAT = encoded(Image.new("RGB", (40, 20), "red"), "PNG")
PAGES = {
    "/cat.png": Page(CAT),
    "/moved.png": Page(status=302, location="/cat.png"),
    "/to-metadata.png": Page(status=302, location="https://metadata.example/cat.png"),
    "/to-loopback.png": Page(status=302, location="https://127.0.0.1/cat.png"),
    "/to-http.png": Page(status=302, location=f"http://{HOST}/cat.png"),
    "/round.png": Page(status=302, location="/round.png"),
    "/gone.png": Page(status=404),
    "/page.png": Page(b"<html>"),
    "/slow.png": Page(CAT, after_s=5),
}
HOSTS = {
    HOST: [PUBLIC],
    "metadata.example": ["169.254.169.254"],
    "inside.example": ["10.0.0.7"],
    "half-inside.example": [PUBLIC, "192.168.1.1"],
    "itself.example": ["::1"],
    "mapped.example": ["::ffff:127.0.0.1"],
    "tunnel.example": ["2002:7f00:1::"],
    "translated.example": ["64:ff9b::7f00:1"],
    "carrier.example": ["100.64.0.1"],
    "everyone.example": ["224.0.0.1"],
    "nobody.example": ["0.0.0.0"],
    "other.example": [PUBLIC],
    "127.0.0.1": ["127.0.0.1"],
}
PRIVATE = [name for name, addresses in HOSTS.items() if addresses != [PUBLIC]]


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    with web_of(PAGES, tmp_path_factory.mktemp("web"), HOSTS) as web:
        yield web


async def shown(web: Web, url: str, limits: ImageLimits = DEFAULT_IMAGE_LIMITS) -> Message:
    return await ImageAttacher(Path(), limits, web.download()).attach(0, user(f"See {url}."))


async def test_a_picture_is_fetched_from_the_address_that_was_checked(web: Web) -> None:
    web.reached.clear()
    message = await shown(web, f"https://{HOST}/cat.png")
    assert [image.size for image in pictures(message)] == [(40, 20)]
    assert web.reached == [PUBLIC]


async def test_a_redirect_is_followed(web: Web) -> None:
    assert pictures(await shown(web, f"https://{HOST}/moved.png"))


@pytest.mark.parametrize("host", PRIVATE)
async def test_a_host_that_is_not_public_is_not_connected_to(web: Web, host: str) -> None:
    web.reached.clear()
    with pytest.raises(BadRequest, match="is not a public address"):
        await shown(web, f"https://{host}/cat.png")
    assert web.reached == []


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("to-metadata", r"metadata\.example is not a public address"),
        ("to-loopback", r"127\.0\.0\.1 is not a public address"),
        ("to-http", "is not https"),
        ("round", "redirects"),
        ("gone", "HTTP 404"),
        ("page", "is no picture that can be read"),
    ],
)
async def test_what_a_url_leads_to_is_held_to_the_same_rules(web: Web, path: str, why: str) -> None:
    with pytest.raises(BadRequest, match=why):
        await shown(web, f"https://{HOST}/{path}.png")


async def test_the_certificate_has_to_be_the_hosts(web: Web) -> None:
    with pytest.raises(BadRequest, match=r"cannot be fetched.*certificate"):
        await shown(web, "https://other.example/cat.png")


async def test_a_host_that_there_is_not_is_named(web: Web) -> None:
    with pytest.raises(BadRequest, match=r"there is no host absent\.example"):
        await shown(web, "https://absent.example/cat.png")


async def test_too_many_bytes_end_the_download(web: Web) -> None:
    with pytest.raises(BadRequest, match="has more than 0 KiB"):
        await shown(web, f"https://{HOST}/cat.png", ImageLimits(bytes=50))


async def test_a_slow_server_is_left_in_time(web: Web) -> None:
    with pytest.raises(BadRequest, match=r"took longer than 0\.3 s"):
        await shown(web, f"https://{HOST}/slow.png", ImageLimits(fetch_s=0.3))


@pytest.mark.parametrize("url", ["http://pictures.example/cat.png", "HTTP://127.0.0.1/cat.png"])
def test_plain_http_is_refused(url: str) -> None:
    with pytest.raises(BadRequest, match="is not https") as refused:
        with_images([user(f"See {url}")])
    assert refused.value.field == "messages[0].content"


def test_a_password_in_a_url_is_refused_and_not_shown() -> None:
    with pytest.raises(BadRequest, match="user name or password") as refused:
        with_images([user("https://me:secret@pictures.example/cat.png")])
    assert "secret" not in str(refused.value)


def test_loopback_is_refused_by_its_every_name() -> None:
    for host in ("127.0.0.1", "localhost", "[::1]", "2130706433", "0"):
        with pytest.raises(BadRequest, match=r"is not a public address|there is no host"):
            with_images([user(f"https://{host}/cat.png")])
