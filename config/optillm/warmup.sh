#!/bin/sh
# Sends warmup.json to OptiLLM until it is answered, for at most two minutes: both keys, the way back and the
# base model's name are then known to be right, and the base model is loaded. For systemd: ExecStartPost.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
[ -n "${OPTILLM_GATE_KEY:-}" ] || [ ! -r "$here/../env.local" ] || . "$here/../env.local"

exec curl --silent --show-error --fail-with-body --max-time 120 \
  --retry 60 --retry-connrefused --retry-delay 2 --retry-max-time 120 \
  -H "Authorization: Bearer ${OPTILLM_GATE_KEY:?is not set}" \
  -H 'Content-Type: application/json' --data "@$here/warmup.json" \
  "http://127.0.0.1:${OPTILLM_PORT:-4020}/v1/chat/completions"
