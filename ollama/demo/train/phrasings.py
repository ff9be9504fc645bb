"""How users ask: the four tasks in many wordings, and everything else."""

import random
from typing import Final

from train.payloads import random_string

# Orders start in lower case, so that they can follow "Please" or "Use exec_python to".
ORDERS: Final = {
    "encode": (
        "run-length encode {}", "run-length encode the string {}", "run length encode {}",
        "compress the runs in {}", "compress the runs of {}", "compress {}",
        "compress the string {}", "compress the repeated characters in {}",
        "encode the runs of {}", "encode {} with run-length encoding",
        "apply run-length encoding to {}", "write {} as a run-length encoding",
        "give me the run-length encoding of {}", "show the run lengths of {}",
        "turn each run in {} into the character and its count", "shorten the runs in {}",
        "squeeze the runs of {}", "RLE-encode {}", "do RLE on {}",
        "find the run-length form of {}", "compute the run-length encoding of {}",
    ),
    "reverse": (
        "reverse {}", "reverse the string {}", "reverse the word {}", "reverse the text {}",
        "reverse the characters of {}", "reverse the order of the characters in {}",
        "flip {}", "flip the string {}", "turn {} around", "write {} backwards",
        "print {} backwards", "spell {} backwards", "put {} in reverse order",
        "show {} in reverse", "give me the reverse of {}", "read {} from the end to the start",
        "mirror {}", "compute the reverse of {}", "take {} and reverse it",
    ),
    "count": (
        "count the characters of {}", "count the characters in {}", "count the letters in {}",
        "count the letters of {}", "count how many characters {} has", "count {}",
        "count the characters in the string {}", "find the length of {}",
        "find the length of the string {}", "give me the length of {}",
        "tell me how long {} is", "tell me the number of characters in {}",
        "get the length of {}", "compute the length of {}", "measure the length of {}",
        "measure {}", "work out how long {} is", "say how many characters {} contains",
    ),
    "compute": (
        "compute {}", "calculate {}", "work out {}", "evaluate {}", "solve {}", "find {}",
        "tell me what {} is", "give me the result of {}", "give me {}", "compute the value of {}",
        "determine {}", "do the sum {}", "find the value of {}", "tell me the result of {}",
    ),
}  # fmt: skip
QUESTIONS: Final = {
    "encode": (
        "what is {} run-length encoded", "what is the run-length encoding of {}",
        "what is {} compressed", "how does {} look run-length encoded", "compress_runs({})",
        "what are the runs in {}", "what is the RLE of {}", "RLE of {}",
    ),
    "reverse": (
        "what is {} backwards", "what is {} reversed", "what is the reverse of {}",
        "what is {} in reverse", "how does {} look backwards", "how is {} spelled backwards",
        "reverse({})", "the reverse of {}",
    ),
    "count": (
        "how many characters are in {}", "how many characters does {} have",
        "how many characters are there in {}", "how many letters are in {}", "how long is {}",
        "how long is the string {}", "what is the length of {}", "len({})",
        "what is the number of characters in {}", "the length of {}",
    ),
    "compute": (
        "what is {}", "what's {}", "how much is {}", "what does {} make", "what does {} give",
        "what is the result of {}", "what is the value of {}", "{}", "{} =", "what does {} equal",
    ),
}  # fmt: skip
# Wordings that bring their own verb for the operator.
SPOKEN_ORDERS: Final = {
    "+": ("add {a} and {b}", "add {b} to {a}", "sum {a} and {b}", "compute the sum of {a} and {b}"),
    "-": ("subtract {b} from {a}", "compute the difference of {a} and {b}", "take {b} from {a}"),
    "*": ("multiply {a} by {b}", "multiply {a} and {b}", "compute the product of {a} and {b}"),
}
_FORMULAS: Final = {
    "+": ("{a} + {b}", "{a}+{b}", "{a} plus {b}"),
    "-": ("{a} - {b}", "{a}-{b}", "{a} minus {b}"),
    "*": ("{a} * {b}", "{a}*{b}", "{a} times {b}", "{a} x {b}", "{a} multiplied by {b}"),
}
QUOTES: Final = ('"{}"', "'{}'", "{}")
_QUOTES_AND_CODE: Final = (*QUOTES, *QUOTES, "`{}`")
_OPENERS: Final = (
    "please {}", "can you {}", "could you {}", "I want you to {}", "now {}", "next, {}",
    "task: {}", "hello, {}", "use exec_python to {}", "use exec_python to {}",
    "run python to {}", "run python to {}", "use Python to {}", "write and run Python to {}",
    "use a tool to {}", "let's {}", "I need you to {}", "your task is to {}",
)  # fmt: skip
_CLOSERS: Final = (
    " by running Python, and answer with what it printed.",
    " by running Python, and answer with what it printed.",
    " and report the result.", " and report the result.", " and report the result",
    " and tell me the result.", " and answer with the result.", " with Python.", " using Python",
    " by running Python.", " in Python", " using a tool.", " with exec_python", " for me",
    " for me, please.", ", please", " please", " now.", " and report what it prints.",
    ". Thanks!", ". Use the tool.", "!",
)  # fmt: skip


def _first_letter(rng: random.Random, text: str) -> str:
    return text if rng.random() < 0.3 else text[0].upper() + text[1:]


def _dress(rng: random.Random, order: str) -> str:
    """Add what people put around an order."""
    if rng.random() < 0.35:
        order = rng.choice(_OPENERS).format(order)
    end = rng.choice(_CLOSERS) if rng.random() < 0.45 else rng.choice(("", "", ".", "?"))
    return order + end


def ask_about_string(rng: random.Random, task: str, payload: str) -> str:
    """Return one of the ways to ask for a task on a string."""
    quoted = rng.choice(_QUOTES_AND_CODE).format(payload)
    if rng.random() < 0.75:
        pattern = _dress(rng, rng.choice(ORDERS[task]).replace("{}", "\0"))
    else:
        pattern = rng.choice(QUESTIONS[task]).replace("{}", "\0") + rng.choice(("", "?", "?", "."))
    # Only the wording may change its case, never the payload.
    return _first_letter(rng, pattern).replace("\0", quoted)


def ask_about_sum(rng: random.Random, left: int, operator: str, right: int) -> str:
    """Return one of the ways to ask for a sum, a difference or a product."""
    if rng.random() < 0.15:
        order = rng.choice(SPOKEN_ORDERS[operator]).format(a=left, b=right)
        return _first_letter(rng, _dress(rng, order))
    formula = rng.choice(_FORMULAS[operator]).format(a=left, b=right)
    if rng.random() < 0.65:
        return _first_letter(rng, _dress(rng, rng.choice(ORDERS["compute"]).format(formula)))
    question = rng.choice(QUESTIONS["compute"]).format(formula)
    return _first_letter(rng, question + rng.choice(("", "", "?", ".")))


_NOUN_LIST = (
    "answer bank bird boat book bread bridge bug cake camera capital castle cat chess city cloud "
    "coffee compiler computer country dance database desk dinner doctor dog dragon email engine "
    "error family file film fire flower forest friend function game garden guitar history horse "
    "house island joke king kitchen lamp language letter library list llama machine market meal "
    "model money moon morning mountain movie music name night number ocean page paper party piano "
    "picture pizza planet poem price program queen question rain recipe report river road robot "
    "school science sentence server ship shop song soup spain star station stone story street "
    "student sugar summer sun table tea teacher team test time tower town train tree village "
    "virus water weather website window winter wolf word world year"
)
_VERB_LIST = (
    "bake book build buy call clean close cook create debug delete describe design draw drive "
    "explain find fix grow help improve learn list make move open paint plan play read refactor "
    "rename repair replace sell send sing sort start stop summarise teach translate visit write"
)
_NOUNS: Final = _NOUN_LIST.split()
_VERBS: Final = _VERB_LIST.split()
_CHAT: Final = (
    "hello", "hi", "hi there", "hey", "good morning", "good evening", "thanks", "thank you", "ok",
    "yes", "no", "who are you", "what are you", "what can you do", "what is your name", "help",
    "help me", "how are you", "tell me a joke", "sing a song", "continue", "go on", "try again",
    "what time is it", "which model are you", "are you a robot", "stop", "use a tool", "test",
    "run python", "use exec_python", "write some python", "what is the meaning of life",
)  # fmt: skip
_OTHER: Final = (
    "write a {n} about a {n}", "write me a poem about {n} and {n}", "tell me about the {n}",
    "tell me a story about a {n}", "explain the {n}", "explain {n} to a {n}", "{v} the {n}",
    "{v} a {n}", "{v} my {n} and the {n}", "can you {v} a {n} for me", "please {v} the {n} {n}",
    "how do I {v} a {n}", "how do you {v} the {n}", "how old is the {n}", "how far is the {n}",
    "how many {n}s are there in the {n}", "how long does the {n} take", "how much is a {n}",
    "what is a {n}", "what is the {n} of the {n}", "what is the best {n}", "who made the {n}",
    "who is the {n} of {n}", "where is the {n}", "when was the {n} built", "why is the {n} {n}",
    "which {n} do you like", "do you like {n}", "is the {n} a {n}", "recommend a {n}",
    "give me a {n}", "give me {d} {n}s", "show me the {n}", "count to {d}", "remember {p}",
    "my name is {p}", "sort {p}", "sort the letters of {p}", "uppercase {p}", "hash {p}",
    "make {p} upper case", "is {p} a palindrome", "encrypt {p}", "what does {p} mean", "{p}", "{p}",
    "translate {p} to french", "delete the file {p}", "open {n}.txt", "list the files in {n}",
    "search the web for {n} {n}", "is {d} prime", "what is the square root of {d}",
    "divide {d} by {d}", "what is {d} / {d}", "convert {d} km to miles", "{d}", "{n}", "{n} {n}",
    "write a {n} in python", "fix the {n} in {n}.py", "write a program for the {n}",
    "I want to {v} a {n}", "the {n} is a {n}", "say something about the {n}", "{n} or {n}",
)  # fmt: skip


def ask_something_else(rng: random.Random, held_out: bool) -> str:
    """Return a prompt that is none of the four tasks."""
    kind = rng.random()
    if kind < 0.2:
        text = rng.choice(_CHAT)
    elif kind < 0.32:
        text = " ".join(rng.choices(_NOUNS + _VERBS, k=rng.randint(2, 9)))
    else:
        text = rng.choice(_OTHER)
    for mark, words in (("{n}", _NOUNS), ("{v}", _VERBS)):
        while mark in text:
            text = text.replace(mark, rng.choice(words), 1)
    while "{d}" in text:
        text = text.replace("{d}", str(rng.randrange(1000)), 1)
    text = text.replace("{p}", rng.choice(QUOTES).format(random_string(rng, held_out)))
    if rng.random() < 0.12:
        text = rng.choice(_OPENERS).format(text)
    text += rng.choice(_CLOSERS) if rng.random() < 0.1 else rng.choice(("", "", "?", ".", "!"))
    return _first_letter(rng, text)
