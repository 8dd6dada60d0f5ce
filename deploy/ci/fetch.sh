#!/usr/bin/env bash
# Gets the objects of the repository. Nothing is checked out: charter reads files from Git's objects, so that review, plan
# and apply read the same bytes, and no link, attribute or filter has a say.
#
# CHARTER_HOME          a folder of this job; the repository goes to repository/ below it
# CHARTER_REMOTE        where the repository is, without a login
# CHARTER_BRANCH        the branch that is applied
# CHARTER_MODE          review, plan, apply or drift
# CHARTER_HEAD          for review, and for plan of a pull request: its commit, or its reference
# CHARTER_PULL_REQUEST  for plan of a pull request, where CHARTER_HEAD is not set: its number
# CHARTER_COMMIT        else: the commit this job is for; drift takes the newest
# CHARTER_BASE_REV      a commit that is fetched too if the branch does not have it any more
# GH_TOKEN              reads the repository; else CI_JOB_TOKEN does; none is needed where nothing is private
set -euo pipefail
# shellcheck source=deploy/ci/lib.sh
source "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"

need CHARTER_HOME CHARTER_REMOTE CHARTER_BRANCH CHARTER_MODE
head=${CHARTER_HEAD:-} commit=${CHARTER_COMMIT:-} base=${CHARTER_BASE_REV:-}
hex='^([0-9a-f]{40}|[0-9a-f]{64})$'

[[ ! $CHARTER_REMOTE =~ ^[a-z]+://[^/]*@ || $CHARTER_REMOTE == ssh://* ]] ||
    fail 3 "CHARTER_REMOTE holds a login: give the address alone, and the token in GH_TOKEN"
if [[ $CHARTER_MODE == plan && -z $head && -n ${CHARTER_PULL_REQUEST:-} ]]; then
    number=${CHARTER_PULL_REQUEST#\#}
    [[ $number =~ ^[1-9][0-9]{0,9}$ ]] || fail 3 "CHARTER_PULL_REQUEST is not the number of a pull request"
    head=refs/pull/$number/head
fi
case $CHARTER_MODE in
review) [[ -n $head ]] || fail 3 "CHARTER_HEAD is not set: there is no pull request to review" ;;
plan)
    [[ ! $head =~ ^refs/pull/[^/]+/merge$ ]] ||
        fail 3 "CHARTER_HEAD is a merge reference, which may be older than either side: give the number of the pull request, and the merge is made here"
    ;;
apply | drift) [[ -z $head ]] || fail 4 "CHARTER_HEAD is set: what a pull request holds is never applied" ;;
*) fail 3 "CHARTER_MODE is none of review, plan, apply, drift" ;;
esac

umask 077
repository=$CHARTER_HOME/repository
mkdir -p -- "$CHARTER_HOME"
begin() {
    rm -rf -- "$repository"
    clean_for
    "${clean[@]}" GIT_CONFIG_NOSYSTEM=1 GIT_CONFIG_GLOBAL=/dev/null \
        git init --quiet --template= --initial-branch=charter --object-format="$1" -- "$repository" 2>/dev/null ||
        fail 1 "the repository of this job cannot be made: is Git 2.38 or newer here, and is the disk full?"
    cd -- "$repository"
}
begin sha1
repository check-ref-format "refs/heads/$CHARTER_BRANCH" || fail 3 "CHARTER_BRANCH is not the name of a branch"
if [[ -n $head && ! $head =~ $hex ]] && ! { [[ $head == refs/* ]] && repository check-ref-format "$head"; }; then
    fail 3 "CHARTER_HEAD is neither a commit nor a full reference"
fi

# Git with the login for this repository.
remote() {
    if [[ $CHARTER_REMOTE == https://* && -n ${GH_TOKEN:-} ]]; then
        repository_with_token x-access-token "$GH_TOKEN" "$@"
    elif [[ $CHARTER_REMOTE == https://* && -n ${CI_JOB_TOKEN:-} ]]; then
        repository_with_token gitlab-ci-token "$CI_JOB_TOKEN" "$@"
    else
        repository "$@"
    fi
}
# Why nothing could be fetched; of a login, which token it is.
cause() {
    local why
    why=$(git_reason)
    if [[ $why == *login* ]]; then why+=": check the token, GH_TOKEN${CI_JOB_TOKEN:+ or else CI_JOB_TOKEN}"; fi
    printf '%s' "$why"
}
get() {
    remote fetch --quiet --no-tags --no-recurse-submodules --no-auto-maintenance -- "$CHARTER_REMOTE" "$@"
}

# What there is: the kind of the ids, the branch, and the one with the records of what was applied.
listed=$(remote ls-remote --quiet -- "$CHARTER_REMOTE" "refs/heads/$CHARTER_BRANCH" refs/heads/charter/applied) ||
    fail 1 "the repository cannot be fetched: $(cause)"
refs=()
while IFS=$'\t' read -r id name; do
    case $name in
    "refs/heads/$CHARTER_BRANCH")
        refs+=("+$name:refs/remotes/origin/$CHARTER_BRANCH")
        ((${#id} == 40)) || begin sha256
        ;;
    refs/heads/charter/applied) [[ $CHARTER_MODE == review ]] || refs+=("+$name:refs/charter/applied") ;;
    esac
done <<<"$listed"
[[ " ${refs[*]}" == *":refs/remotes/origin/$CHARTER_BRANCH"* ]] || fail 1 "the repository has no branch of the name in CHARTER_BRANCH"
[[ -z $head ]] || refs+=("+$head:refs/charter/head")
get "${refs[@]}" || fail 1 "the repository cannot be fetched: $(cause)${head:+ (is the number of the pull request right?)}"
tip=$(repository rev-parse --verify --quiet --end-of-options "refs/remotes/origin/$CHARTER_BRANCH^{commit}")

if [[ -n $head && $CHARTER_MODE == plan ]]; then
    # The platform's merge reference goes stale without a word, so the merge is made here: of these two commits.
    theirs=$(repository rev-parse --verify --quiet 'refs/charter/head^{commit}') || fail 3 "CHARTER_HEAD is no commit"
    merged=0
    tree=$(repository merge-tree --write-tree --no-messages --name-only "$tip" "$theirs") || merged=$?
    case $merged in
    0) ;;
    1) fail 1 "the pull request has conflicts with the branch: it can be planned once they are resolved" ;;
    *) fail 1 "the pull request cannot be merged with the branch: they have no commit in common, or Git is older than 2.38" ;;
    esac
    date=$(repository show --no-patch --format=%ct "$theirs")
    git_keeps=(GIT_AUTHOR_DATE GIT_COMMITTER_DATE)
    merge=$(GIT_AUTHOR_DATE="@$date +0000" GIT_COMMITTER_DATE="@$date +0000" repository commit-tree "$tree" -p "$tip" -p "$theirs" -m 'Merge, to be planned')
    repository update-ref refs/charter/merge "$merge"
fi
[[ -z $head ]] || exit 0

if [[ -z $commit || $CHARTER_MODE == drift ]]; then
    commit=$tip
elif [[ ! $commit =~ $hex ]]; then
    fail 3 "CHARTER_COMMIT is not a commit"
elif ! repository cat-file -e "$commit^{commit}"; then
    fail 4 "the commit of this job is not in the branch any more"
fi
repository update-ref --no-deref HEAD "$commit"

# After a forced push the commit before it is in no branch, and platforms still give it by its id.
if [[ $base =~ $hex && ! $base =~ ^0*$ ]] && ! repository cat-file -e "$base^{commit}" && ! get "$base"; then
    fail 4 "the commit before this change is not in the branch any more, and cannot be fetched: the branch was rewritten. Find out why; then start the pipeline by hand with base-rev, the commit whose rules shall hold"
fi
