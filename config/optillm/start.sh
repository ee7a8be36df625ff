#!/bin/sh
# Starts OptiLLM for this gateway: on 127.0.0.1 only, behind a key, with the gateway as its one upstream.
#
#   config/optillm/start.sh [options of optillm]
#
# The keys come from the environment, else from config/env.local: OPTILLM_GATE_KEY opens OptiLLM,
# OPTILLM_UPSTREAM_KEY opens the gateway for its calls back. OPTILLM_PORT is where it listens (4020),
# OPTILLM_UPSTREAM_API_BASE where the gateway is (http://127.0.0.1:$PORT/v1). docs/optillm.md has the rest.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
if [ -z "${OPTILLM_GATE_KEY:-}" ] || [ -z "${OPTILLM_UPSTREAM_KEY:-}" ]; then
  [ ! -r "$here/../env.local" ] || . "$here/../env.local"
fi

stop() {
  echo "start.sh: $1" >&2
  exit 2
}

[ -n "${OPTILLM_GATE_KEY:-}" ] || stop "OPTILLM_GATE_KEY is not set; \`make run\` makes config/env.local, which has it"
[ -n "${OPTILLM_UPSTREAM_KEY:-}" ] || stop "OPTILLM_UPSTREAM_KEY is not set; \`make run\` makes config/env.local, which has it"
case $OPTILLM_GATE_KEY in
  sk-*) stop "OPTILLM_GATE_KEY starts with sk-: OptiLLM would send it to the gateway in the place of its own key" ;;
esac
command -v optillm > /dev/null ||
  stop "no optillm in PATH; \`make venv-optillm-0.4.0\` installs one in .cache/venvs/optillm-0.4.0/bin"

# Read by OptiLLM's proxy approach, and from nowhere else than this folder. Without it 0.3.12 takes a sample
# whose providers are clouds.
providers=$HOME/.optillm/proxy_config.yaml
if [ ! -e "$providers" ]; then
  mkdir -p "$HOME/.optillm"
  ln -sf "$here/proxy_config.yaml" "$providers"
fi
cmp -s "$here/proxy_config.yaml" "$providers" ||
  stop "$providers is not $here/proxy_config.yaml: prompts could go to its providers; move it away"

# env -i: approaches such as z3 and executecode run Python that a model wrote, with this environment; and
# OptiLLM reads names for itself that env.local uses for the gateway (OPTILLM_MODEL), or that switch it to
# another upstream (OPTILLM_API_KEY: local inference; CEREBRAS_API_KEY).
# What was given on the command line stands first: of an option given twice the last one counts.
exec env -i \
  PATH="$PATH" HOME="$HOME" ${HF_HOME:+"HF_HOME=$HF_HOME"} \
  OPENAI_API_KEY="$OPTILLM_UPSTREAM_KEY" \
  OPTILLM_UPSTREAM_API_BASE="${OPTILLM_UPSTREAM_API_BASE:=http://127.0.0.1:${PORT:-4000}/v1}" \
  optillm "$@" \
  --host 127.0.0.1 \
  --port "${OPTILLM_PORT:-4020}" \
  --base-url "$OPTILLM_UPSTREAM_API_BASE" \
  --optillm-api-key "$OPTILLM_GATE_KEY" \
  --approach none
