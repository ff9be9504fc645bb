# Everything a newcomer or a contributor runs. `make help` lists it.
SHELL := /bin/bash
TEXT ?= aaabbc
MODEL ?=
RUNTIME ?=
export SANDBOX_RUNTIME := $(or $(RUNTIME),$(SANDBOX_RUNTIME),runc)
python := .venv/bin/python
compose := docker compose -f compose.agents.yml --profile demo

.PHONY: help demo up down logs token images test unit newest check format bench agents bench-provider prove engine runtime servers pins venv
.DEFAULT_GOAL := help

help: ## this list
	@grep -hE '^[a-z/%-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-15s %s\n", $$1, $$2}'

demo: venv engine images ## set everything up and run one task end to end (TEXT=aabbbc: your own string)
	@scripts/up demo
	@.venv/bin/mini-agent demo -- '$(subst ','\'',$(TEXT))'

test: venv engine images servers ## set everything up and pass all tests
	@scripts/redis >/dev/null
	@scripts/up demo
	@LITELLM_DEFAULT_CODE_MODEL=llamafile/tiny-agent scripts/test $(ARGS)
unit: venv servers ## the quick tests that need no engine, on all cores
	@scripts/redis >/dev/null
	@scripts/test --unit $(ARGS)
newest: venv ## the provider's tests against the newest LiteLLM on PyPI
	@scripts/newest

up: engine runtime images ## start the stack with Ollama (MODEL=demo, MINI_AGENT_GGUF=FILE: other models; RUNTIME=runsc: with gVisor)
	@scripts/up $(MODEL)

down: ## stop the stack; models and volumes are kept
	@$(compose) down --remove-orphans
logs: ## follow what the services say
	@$(compose) logs -f --tail 100

token: ## the running stack's token for the sidecar
	@$(compose) exec -T codex-agent cat /run/mini-agent/token

images: engine ## build the sandbox images (images/python: one of them)
	@scripts/base-image
	@sandbox-images/build
images/%: engine
	@scripts/base-image
	@sandbox-images/build $*

check: venv ## lint, types and the walls between the parts
	@.venv/bin/ruff check .
	@.venv/bin/ruff format --check .
	@.venv/bin/mypy
	@.venv/bin/lint-imports && scripts/structure --check
format: venv ## put the code into its form
	@.venv/bin/ruff format .
	@.venv/bin/ruff check --fix .

bench: venv engine images ## measure the sandboxes here (N=30 RUNS=2000; PLOT=1: also in docs/; PEERS=1: also those of others)
	@BENCH_N=$(or $(N),30) BENCH_RUNS=$(or $(RUNS),2000) BENCH_PEERS=$(or $(PEERS),0) BENCH_PLOT=$(or $(PLOT),0) $(python) -m bench
bench-provider: venv ## measure what the LiteLLM provider costs beside model and sandbox
	@$(python) -m bench.provider
agents: venv ## run weak models' behaviours with ours and with other people's agents (ONLY=litellm: one)
	@$(python) -m bench.agents $(ONLY)

prove: venv engine images ## run all cases against the running stack, or one of its own; writes proof.html
	@$(python) -m bench.prove $(if $(TO),--to $(TO))

pins: venv ## pin every dependency anew, with hashes, in constraints.txt
	@.venv/bin/uv pip compile -q --universal --generate-hashes --upgrade --python-version 3.11 \
	  pyproject.toml protocol/pyproject.toml shim/pyproject.toml sidecar/pyproject.toml --extra asgi --extra demo --extra images --extra pdf --extra redis_cache --group dev \
	  --no-emit-package mini-agent --no-emit-package mini-agent-protocol --no-emit-package mini-agent-shim --no-emit-package codex-sidecar \
	  --no-header --no-annotate -o constraints.txt

runtime: engine
	@scripts/runtime --check $(SANDBOX_RUNTIME)
engine:
	@scripts/engine
servers:
	@scripts/mcp-servers
venv:
	@scripts/venv
