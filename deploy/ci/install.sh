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

need CHARTER_HOME
# Before anything can fail: what an earlier job left on a kept runner must not pass for what this one finds.
rm -rf -- "${CHARTER_HOME:?}"/{out,bin,repository}
umask 077
mkdir -p -- "$CHARTER_HOME/bin" "$CHARTER_HOME/out"
need CHARTER_URL CHARTER_SHA256 CHARTER_VERSION
[[ $CHARTER_SHA256 =~ ^[0-9a-f]{64}$ ]] || fail 3 "CHARTER_SHA256 is not 64 lower-case hexadecimal digits"
program=$CHARTER_HOME/bin/charter

case $CHARTER_URL in
https://*)
    clean_for
    "${clean[@]}" curl --proto '=https' --proto-redir '=https' --tlsv1.2 --fail --silent --location \
        --retry 3 --max-time 300 --max-filesize 268435456 --output "$program.new" --url "$CHARTER_URL" ||
        fail 1 "the program cannot be downloaded: curl ended with exit code $?"
    ;;
/*) cp -- "$CHARTER_URL" "$program.new" 2>/dev/null || fail 1 "the program cannot be copied: is the file of CHARTER_URL there?" ;;
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
