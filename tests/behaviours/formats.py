"""The forms in which model families, and the frameworks they learned from, write a call as text.

In a form NAME is the tool, JSON its arguments, TEXT the same as a JSON string, PY the same in
Python's syntax, KEY and RAW the one argument's name and text, XML the text with its entities.
"""

from __future__ import annotations

import html
import json
from typing import Final

from tests.behaviours.programs import PROGRAM_PARAMETER, Program

CALL_FORMATS: Final = {
    # Servers that have no parser for their model hand these on as content.
    "bare JSON": '{"name": "NAME", "arguments": JSON}',
    "parameters": '{"name": "NAME", "parameters": JSON}',
    "fenced JSON": '```json\n{"name": "NAME", "arguments": JSON}\n```',
    "fence without a label": '```\n{"name": "NAME", "arguments": JSON}\n```',
    "fence tool_call": '```tool_call\n{"name": "NAME", "arguments": JSON}\n```',
    "hermes": '<tool_call>\n{"name": "NAME", "arguments": JSON}\n</tool_call>',
    "hermes, arguments first": '<tool_call>\n{"arguments": JSON, "name": "NAME"}\n</tool_call>',
    "hermes, never closed": '<tool_call>\n{"name": "NAME", "arguments": JSON}',
    "hermes, arguments as text": '<tool_call>{"name": "NAME", "arguments": TEXT}</tool_call>',
    "hermes in capitals": '<TOOL_CALL>{"name": "NAME", "arguments": JSON}</TOOL_CALL>',
    "function tag with JSON": "<function=NAME>JSON</function>",
    "function tag, JSON closed early": "<function=NAME>JSON<function>",
    "qwen3-coder": "<tool_call>\n<function=NAME>\n<parameter=KEY>\nRAW\n</parameter>\n</function>\n</tool_call>",
    "qwen3-coder without its frame": "<function=NAME>\n<parameter=KEY>\nRAW\n</parameter>\n</function>",
    "llama python_tag with JSON": '<|python_tag|>{"type": "function", "name": "NAME", "parameters": JSON}',
    "llama python_tag as Python": "<|python_tag|>NAME.call(PY)",
    "llama4 pythonic": "[NAME(PY)]",
    "llama4 pythonic between its tokens": "<|python_start|>[NAME(PY)]<|python_end|>",
    "mistral list": '[TOOL_CALLS] [{"name": "NAME", "arguments": JSON}]',
    "mistral list with id": '[TOOL_CALLS][{"name": "NAME", "arguments": JSON, "id": "abc123def"}]',
    "mistral name and JSON": "[TOOL_CALLS]NAMEJSON",
    "mistral with ARGS": "[TOOL_CALLS]NAME[ARGS]JSON",
    "mistral with CALL_ID": "[TOOL_CALLS]NAME[CALL_ID]abc123def[ARGS]JSON",
    "functionary v2": "<|from|>assistant\n<|recipient|>NAME\n<|content|>JSON",
    "functionary v3": ">>>NAME\nJSON",
    "functionary v3.1": "<function=NAME>JSON</function>",
    "deepseek r1": (
        "<\uff5ctool▁calls▁begin\uff5c><\uff5ctool▁call▁begin\uff5c>function<\uff5ctool▁sep\uff5c>"
        "NAME\n```json\nJSON\n```<\uff5ctool▁call▁end\uff5c><\uff5ctool▁calls▁end\uff5c>"
    ),
    "deepseek v3.1": (
        "<\uff5ctool▁calls▁begin\uff5c><\uff5ctool▁call▁begin\uff5c>NAME<\uff5ctool▁sep\uff5c>JSON"
        "<\uff5ctool▁call▁end\uff5c><\uff5ctool▁calls▁end\uff5c>"
    ),
    "deepseek in plain bars": (
        "<|tool_calls_begin|><|tool_call_begin|>function<|tool_sep|>NAME\n```json\nJSON\n```"
        "<|tool_call_end|><|tool_calls_end|>"
    ),
    "deepseek v3.2": (
        '<\uff5cDSML\uff5cfunction_calls>\n<\uff5cDSML\uff5cinvoke name="NAME">\n'
        '<\uff5cDSML\uff5cparameter name="KEY" string="true">RAW</\uff5cDSML\uff5cparameter>\n'
        "</\uff5cDSML\uff5cinvoke>\n</\uff5cDSML\uff5cfunction_calls>"
    ),
    "gemma tool_code": "```tool_code\nNAME(PY)\n```",
    "gemma tool_code, printed": "```tool_code\nprint(NAME(PY))\n```",
    "gemma tool_code, by api": "```tool_code\nprint(default_api.NAME(PY))\n```",
    "functiongemma": "<start_function_call>call:NAME{KEY:<escape>RAW<escape>}<end_function_call>",
    "granite": '<|tool_call|>[{"name": "NAME", "arguments": JSON}]',
    "granite 4": '<tool_call>[{"name": "NAME", "arguments": JSON}]</tool_call>',
    "command-r": 'Action: ```json\n[\n    {\n        "tool_name": "NAME",\n        "parameters": JSON\n    }\n]```',
    "command-r7b": (
        '<|START_ACTION|>[\n    {"tool_call_id": "0", "tool_name": "NAME", "parameters": JSON}\n]'
        "<|END_ACTION|>"
    ),
    "phi-4-mini": '<|tool_call|>[{"name": "NAME", "arguments": JSON}]<|/tool_call|>',
    "phi-4 functools": 'functools[{"name": "NAME", "arguments": JSON}]',
    "glm-4": "NAME\nJSON",
    "glm-4.5": "<tool_call>NAME\n<arg_key>KEY</arg_key>\n<arg_value>RAW</arg_value>\n</tool_call>",
    "kimi": (
        "<|tool_calls_section_begin|><|tool_call_begin|>functions.NAME:0"
        "<|tool_call_argument_begin|>JSON<|tool_call_end|><|tool_calls_section_end|>"
    ),
    "harmony": "<|channel|>commentary to=functions.NAME <|constrain|>json<|message|>JSON<|call|>",
    "harmony, role first": (
        "<|start|>assistant<|channel|>analysis<|message|>I need to run it.<|end|><|start|>assistant"
        "<|channel|>commentary to=functions.NAME<|constrain|>json<|message|>JSON<|call|>"
    ),
    "harmony, recipient in the role": (
        "<|start|>assistant to=functions.NAME<|channel|>commentary json<|message|>JSON<|call|>"
    ),
    "harmony without its tokens": "commentary to=functions.NAME json JSON",
    "harmony, raw code": "<|channel|>commentary to=functions.NAME code<|message|>RAW<|call|>",
    "minimax": '<tool_calls>\n{"name": "NAME", "arguments": JSON}\n</tool_calls>',
    "minimax-m2": (
        '<minimax:tool_call>\n<invoke name="NAME">\n<parameter name="KEY">RAW</parameter>\n'
        "</invoke>\n</minimax:tool_call>"
    ),
    "seed-oss": (
        "<seed:tool_call>\n<function=NAME>\n<parameter=KEY>RAW</parameter>\n</function>\n"
        "</seed:tool_call>"
    ),
    "claude": (
        '<function_calls>\n<invoke name="NAME">\n<parameter name="KEY">RAW</parameter>\n'
        "</invoke>\n</function_calls>"
    ),
    "hunyuan": "<tool_calls>\n<tool_call>NAME\n```json\nJSON\n```\n</tool_call>\n</tool_calls>",
    "internlm": '<|action_start|><|plugin|>\n{"name": "NAME", "parameters": JSON}<|action_end|>',
    "xlam": '[{"name": "NAME", "arguments": JSON}]',
    "nemotron": '<TOOLCALL>[{"name": "NAME", "arguments": JSON}]</TOOLCALL>',
    "jamba": '<tool_calls>[\n{"name": "NAME", "arguments": JSON}\n]</tool_calls>',
    "olmo 3": "<function_calls>\nNAME(PY)\n</function_calls>",
    "lfm2": "<|tool_call_start|>[NAME(PY)]<|tool_call_end|>",
    "apertus": '<|tools_prefix|>[{"NAME": JSON}]<|tools_suffix|>',
    "step3": (
        "<\uff5ctool_calls_begin\uff5c><\uff5ctool_call_begin\uff5c>function<\uff5ctool_sep\uff5c>"
        '<steptml:invoke name="NAME"><steptml:parameter name="KEY">RAW</steptml:parameter>'
        "</steptml:invoke><\uff5ctool_call_end\uff5c><\uff5ctool_calls_end\uff5c>"
    ),
    "qwen-agent": "✿FUNCTION✿: NAME\n✿ARGS✿: JSON",
    "ernie": '<tool_call>\n{"name": "NAME", "arguments": JSON}\n</tool_call>\n</s>',
    "cline": "<NAME>\n<KEY>RAW</KEY>\n</NAME>",
    "tool_use element": "<tool_use>\n<name>NAME</name>\n<arguments>JSON</arguments>\n</tool_use>",
    "invoke with arguments": '<invoke name="NAME"><arguments>JSON</arguments></invoke>',
    "ReAct": "Thought: I need to run it.\nAction: NAME\nAction Input: JSON",
    "ReAct, raw input": "Thought: I need to run it.\nAction: NAME\nAction Input: RAW",
    "ReAct, fenced input": "Thought: run it.\nAction: NAME\nAction Input:\n```json\nJSON\n```",
    "LangChain": '```json\n{"action": "NAME", "action_input": JSON}\n```',
    "LlamaIndex": '{"tool_name": "NAME", "tool_kwargs": JSON}',
    "AutoGPT": '{"thoughts": {"text": "run it"}, "command": {"name": "NAME", "args": JSON}}',
    "OpenAI function_call": '{"function_call": {"name": "NAME", "arguments": TEXT}}',
    "OpenAI tool_calls": '{"tool_calls": [{"id": "c1", "type": "function", "function": {"name": "NAME", "arguments": TEXT}}]}',
    "OpenAI message": '{"role": "assistant", "content": null, "tool_calls": [{"id": "c1", "type": "function", "function": {"name": "NAME", "arguments": TEXT}}]}',
    "Responses item": '{"type": "function_call", "call_id": "c1", "name": "NAME", "arguments": TEXT}',
    "Anthropic block": '{"type": "tool_use", "id": "toolu_1", "name": "NAME", "input": JSON}',
    "Gemini part": '{"functionCall": {"name": "NAME", "args": JSON}}',
    "Bedrock block": '{"toolUse": {"toolUseId": "t1", "name": "NAME", "input": JSON}}',
    "MCP request": '{"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "NAME", "arguments": JSON}}',
    "tool and args": '{"tool": "NAME", "args": JSON}',
    "function as the name": '{"function": "NAME", "arguments": JSON}',
    "recipient_name": '{"recipient_name": "functions.NAME", "parameters": JSON}',
    "flat": '{"tool": "NAME", "KEY": QUOTED}',
    "name as key": '{"NAME": JSON}',
    "Python call on a line": "NAME(PY)",
    "Python call in a block": "```python\nNAME(PY)\n```",
    "Python call, printed": "```python\nresult = NAME(PY)\nprint(result)\n```",
    "Python's repr": "{'name': 'NAME', 'arguments': REPR}",
    "YAML": "```yaml\ntool: NAME\narguments:\n  KEY: |\nINDENTED\n```",
    "words and JSON": "Tool: NAME\nArguments: JSON",
    "calling": "Calling NAME with arguments: JSON",
}
CONTEXTS: Final = {
    "alone": "{}",
    "after a sentence": "I will use a tool to work this out.\n\n{}",
    "before a sentence": "{}\n\nI will report the result once it is there.",
    "between sentences": "Let me run this:\n\n{}\n\nThen I can answer.",
    "after thoughts": "<think>The user wants a result. I should run it.</think>\n\n{}",
    "after a heading": "### Step 1\n\n{}\n",
    "in Spanish": "Voy a ejecutar el código ahora:\n\n{}",
    "in Chinese": "我将使用工具来计算。\n\n{}",
    "with an end token": "{}<|im_end|>",
    "with a role in front": "<|im_start|>assistant\n{}",
    "then an answer of its own invention": "{}\n<|im_end|>\n<|im_start|>user\n<tool_response>\n999\n</tool_response>",
    "then an Observation of its own": "{}\nObservation: 999\nFinal Answer: 999",
}


def format_call(form: str, program: Program, name: str = "", key: str = "") -> str:
    """`program` as a call in the form `form`; `name` and `key` are other names for its own."""
    key = key or PROGRAM_PARAMETER[program.tool]
    given = {key: program.code}
    as_json = json.dumps(given)
    pieces = {
        "NAME": name or program.tool,
        "JSON": as_json,
        "TEXT": json.dumps(as_json),
        "QUOTED": json.dumps(program.code),
        "REPR": repr(given),
        "PY": f"{key}={program.code!r}",
        "KEY": key,
        "INDENTED": "\n".join(f"    {line}" for line in program.code.splitlines()),
        "XML": html.escape(program.code),
        "RAW": program.code,
    }
    return _fill(form, pieces)


def _fill(form: str, pieces: dict[str, str]) -> str:
    """`form` with each word that is a piece's name replaced, once, from the longest down."""
    position = min(
        ((at, word) for word in pieces if (at := _place(form, word)) >= 0),
        key=lambda place: (place[0], -len(place[1])),
        default=None,
    )
    if position is None:
        return form
    at, word = position
    return f"{form[:at]}{pieces[word]}{_fill(form[at + len(word) :], pieces)}"


def _place(form: str, word: str) -> int:
    return form.find(word)
