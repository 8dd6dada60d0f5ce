#!/usr/bin/env bash
# Publishes what run.sh found, where people look.
set -euo pipefail
# shellcheck source=deploy/ci/lib.sh
source "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"

case ${CHARTER_MODE:-} in
review | plan) exec bash "$here/comment.sh" ;;
drift) exec bash "$here/issue.sh" ;;
*) ;;
esac
