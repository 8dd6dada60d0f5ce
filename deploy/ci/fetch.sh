#!/usr/bin/env bash
# Gets the objects of the repository. The files of a pull request are never checked out: charter reads them as data.
#
# CHARTER_HOME     a folder of this job; the repository goes to repository/ below it
# CHARTER_REMOTE   where the repository is
# CHARTER_BRANCH   the branch that is applied
# CHARTER_MODE     review, plan, apply or drift
# CHARTER_HEAD     for review, and for plan of a pull request: its commit, or its reference (refs/pull/12/merge)
# CHARTER_COMMIT   else: the commit this job is for; drift takes the newest
# GH_TOKEN         may be left out where nothing is private
set -euo pipefail
# shellcheck source=deploy/ci/lib.sh
source "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"

need CHARTER_HOME CHARTER_REMOTE CHARTER_BRANCH CHARTER_MODE
head=${CHARTER_HEAD:-} commit=${CHARTER_COMMIT:-}

# Neither the machine's configuration nor the repository's brings a program or a filter along.
export GIT_CONFIG_NOSYSTEM=1 GIT_CONFIG_GLOBAL=/dev/null GIT_ATTR_NOSYSTEM=1 GIT_TERMINAL_PROMPT=0
git check-ref-format "refs/heads/$CHARTER_BRANCH" || fail 3 "CHARTER_BRANCH is not the name of a branch"
refs=("+refs/heads/$CHARTER_BRANCH:refs/remotes/origin/$CHARTER_BRANCH")
case $CHARTER_MODE in
review) [[ -n $head ]] || fail 3 "CHARTER_HEAD is not set: there is no pull request to review" ;;
plan) ;;
apply | drift) [[ -z $head ]] || fail 4 "CHARTER_HEAD is set: what a pull request holds is never applied" ;;
*) fail 3 "CHARTER_MODE is none of review, plan, apply, drift" ;;
esac
if [[ -n $head ]]; then
    if [[ ! $head =~ ^[0-9a-f]{40}$ ]] && ! { [[ $head == refs/* ]] && git check-ref-format "$head"; }; then
        fail 3 "CHARTER_HEAD is neither a commit nor a full reference"
    fi
    refs+=("+$head:refs/charter/head")
fi

umask 077
repository=$CHARTER_HOME/repository
rm -rf -- "$repository"
mkdir -p -- "$CHARTER_HOME"
git init --quiet --template= --initial-branch=charter -- "$repository"
cd -- "$repository"

# The token is in no argument and in no file.
settings=(http.followRedirects=false core.hooksPath=/dev/null)
if [[ -n ${GH_TOKEN:-} && $CHARTER_REMOTE == https://* ]]; then
    settings+=("http.extraHeader=Authorization: Basic $(printf 'x-access-token:%s' "$GH_TOKEN" | base64 -w 0)")
fi
export GIT_CONFIG_COUNT=${#settings[@]}
for index in "${!settings[@]}"; do
    export "GIT_CONFIG_KEY_$index=${settings[index]%%=*}" "GIT_CONFIG_VALUE_$index=${settings[index]#*=}"
done
timeout 900 git fetch --quiet --no-tags --no-recurse-submodules --no-auto-maintenance -- "$CHARTER_REMOTE" "${refs[@]}" ||
    fail 1 "the repository cannot be fetched (a pull request with conflicts has no refs/pull/NUMBER/merge)"

[[ -z $head ]] || exit 0
newest=$(git rev-parse --verify --quiet --end-of-options "refs/remotes/origin/$CHARTER_BRANCH^{commit}")
if [[ -z $commit || $CHARTER_MODE == drift ]]; then
    commit=$newest
elif [[ ! $commit =~ ^[0-9a-f]{40}$ ]]; then
    fail 3 "CHARTER_COMMIT is not a commit"
elif ! git cat-file -e "$commit^{commit}" 2>/dev/null; then
    fail 4 "the commit of this job is not in the branch any more"
fi
git checkout --quiet --detach "$commit"
