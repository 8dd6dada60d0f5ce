#!/usr/bin/env bash
# Gets the one charter that this pipeline was reviewed with, and checks it before anything runs it.
#
# CHARTER_URL      an https address, or the path of a file that the image brings
# CHARTER_SHA256   of the program
# CHARTER_VERSION  what it has to say it is
# CHARTER_HOME     a folder of this job; the program goes to bin/charter below it
set -euo pipefail
# shellcheck source=deploy/ci/lib.sh
source "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"

need CHARTER_HOME CHARTER_URL CHARTER_SHA256 CHARTER_VERSION
[[ $CHARTER_SHA256 =~ ^[0-9a-f]{64}$ ]] || fail 3 "CHARTER_SHA256 is not 64 lower-case hexadecimal digits"

umask 077
mkdir -p -- "$CHARTER_HOME/bin" "$CHARTER_HOME/out"
program=$CHARTER_HOME/bin/charter
# Also what an earlier use in this job left: it must not pass for what this one finds.
rm -f -- "$program" "$program.new" "$CHARTER_HOME/out/report.md"

case $CHARTER_URL in
https://*)
    curl --proto '=https' --proto-redir '=https' --tlsv1.2 --fail --silent --show-error --location \
        --retry 3 --max-time 300 --max-filesize 268435456 --output "$program.new" --url "$CHARTER_URL" ||
        fail 1 "the program cannot be downloaded"
    ;;
/*) cp -- "$CHARTER_URL" "$program.new" || fail 1 "the program cannot be copied" ;;
*) fail 3 "CHARTER_URL is neither an https address nor the path of a file" ;;
esac

sum=$(sha256sum <"$program.new")
if [[ ${sum%% *} != "$CHARTER_SHA256" ]]; then
    rm -f -- "$program.new"
    fail 4 "the program is refused: its SHA-256 is ${sum%% *}, and CHARTER_SHA256 wants another"
fi
chmod 0755 -- "$program.new"
mv -- "$program.new" "$program"

said=$(offline --version) || fail 1 "the program does not start"
[[ $said == "charter $CHARTER_VERSION" ]] || {
    rm -f -- "$program"
    fail 4 "the program is refused: it is another version than CHARTER_VERSION"
}
