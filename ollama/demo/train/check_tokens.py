"""Checks that a served model splits text into the very tokens that it was trained on."""

import argparse
import json
import random
import sys
import urllib.request
from typing import Final

from train.dialogues import random_dialogue
from train.vocabulary import tokenize

# Text that users may send, but that the training data has nothing like.
_ODD: Final = 'naïve “ü” \t é "ss" (tttt) aaaaaaaaaaaaaaaaaaaaaaaaaaa &&& stderr:\nprint(x)\n'


def _served_tokens(url: str, text: str) -> list[int]:
    body = {"content": text, "add_special": False, "parse_special": True}
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(f"{url}/tokenize", json.dumps(body).encode(), headers)  # noqa: S310
    with urllib.request.urlopen(request, timeout=60) as response:  # noqa: S310
        return [int(token) for token in json.load(response)["tokens"]]


def main() -> int:
    """Return 0 if all dialogues have the same tokens on both sides, else 1."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", default="http://127.0.0.1:8080", help="of the server, without /v1")
    parser.add_argument("--dialogues", type=int, default=200)
    options = parser.parse_args()
    rng = random.Random(0)
    differing = 0
    for index in range(options.dialogues):
        text = "".join(part.text for part in random_dialogue(rng)) + _ODD * (index % 2)
        differing += _served_tokens(options.url, text) != tokenize(text)
    print(f"{differing} of {options.dialogues} dialogues have other tokens on the server")
    return int(differing > 0)


if __name__ == "__main__":
    sys.exit(main())
