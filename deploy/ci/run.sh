#!/usr/bin/env bash
# Does what the mode says. What it found is published by publish.sh, which alone has a token that writes.
set -euo pipefail
# shellcheck source=deploy/ci/lib.sh
source "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"

case ${CHARTER_MODE:-} in
review | plan | apply | drift) exec bash "$here/$CHARTER_MODE.sh" ;;
*) fail 3 "CHARTER_MODE is none of review, plan, apply, drift" ;;
esac
