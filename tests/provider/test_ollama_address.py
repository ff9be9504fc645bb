"""Where Ollama is, in all the ways in which people and Ollama itself write it."""

from __future__ import annotations

import pytest

from mini_agent.errors import NotConfigured
from mini_agent.settings import parse_ollama_url


@pytest.mark.parametrize(
    ("written", "url"),
    [
        ("gpu-box", "http://gpu-box:11434"),
        ("gpu-box:8000", "http://gpu-box:8000"),
        (":9999", "http://127.0.0.1:9999"),
        ("", "http://127.0.0.1:11434"),
        ("0.0.0.0", "http://127.0.0.1:11434"),
        ("0.0.0.0:9999", "http://127.0.0.1:9999"),
        ("[::]:9999", "http://127.0.0.1:9999"),
        ("::", "http://127.0.0.1:11434"),
        ("::1", "http://[::1]:11434"),
        ("[::1]:8000", "http://[::1]:8000"),
        ("192.168.0.7", "http://192.168.0.7:11434"),
        ("http://gpu-box", "http://gpu-box:80"),
        ("http://gpu-box:8000", "http://gpu-box:8000"),
        ("https://ollama.example", "https://ollama.example:443"),
        ("HTTPS://ollama.example", "https://ollama.example:443"),
        ("https://example.org/ollama", "https://example.org:443/ollama"),
        ("gpu-box/ollama/", "http://gpu-box:11434/ollama"),
        (" 'gpu-box:8000' ", "http://gpu-box:8000"),
        ("http://gpu-box:8000/", "http://gpu-box:8000"),
        ("http://gpu-box:8000/v1", "http://gpu-box:8000"),
        ("http://gpu-box:8000/v1/", "http://gpu-box:8000"),
        ("http://gpu-box:8000/api", "http://gpu-box:8000"),
        ("http://gpu-box:8000/ollama/api/chat", "http://gpu-box:8000/ollama"),
    ],
)
def test_an_address_becomes_a_url(written: str, url: str) -> None:
    assert parse_ollama_url(written) == url
    assert parse_ollama_url(url) == url


@pytest.mark.parametrize(
    "written", ["box:port", "box:99999", "http://[", "ftp://box", "unix:///run/x", "a:b:c"]
)
def test_what_is_no_address_is_refused_with_where_it_was_written(written: str) -> None:
    with pytest.raises(NotConfigured, match="OLLAMA_API_BASE=") as refused:
        parse_ollama_url(written, "OLLAMA_API_BASE")
    assert "host:port" in refused.value.hint
