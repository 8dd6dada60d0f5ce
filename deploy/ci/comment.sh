#!/usr/bin/env bash
# Puts the report into one comment of the pull request: a new one, or in the place of the last.
#
# CHARTER_HOME          where the report is
# CHARTER_PATH          the files; each path has a comment of its own
# CHARTER_PULL_REQUEST  the number
# CHARTER_BOT           who writes; only comments of this author are replaced
# GITHUB_REPOSITORY     owner/name
# GH_TOKEN              may write pull requests; if it may not, the summary of the step has to do
set -euo pipefail
# shellcheck source=deploy/ci/lib.sh
source "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"

need CHARTER_HOME CHARTER_PATH
report=$CHARTER_HOME/out/report.md
if [[ ! -s $report || -z ${CHARTER_PULL_REQUEST:-} ]]; then exit 0; fi
number=${CHARTER_PULL_REQUEST#\#}
[[ $number =~ ^[0-9]+$ ]] || fail 3 "CHARTER_PULL_REQUEST is not the number of a pull request"
[[ ${GITHUB_REPOSITORY:-} =~ ^[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+$ ]] || fail 3 "GITHUB_REPOSITORY is not owner/name"

# A pull request from a fork may have no token that writes, and is reviewed all the same.
summary_only() {
    say "$1: the report is in the summary of the step only"
    exit 0
}
[[ -n ${GH_TOKEN:-} ]] || summary_only "there is no token"

wanted=$(marks "$report")
body=$CHARTER_HOME/out/comment.md
marked "$report" >"$body"
status=0
comments=$(github --paginate "repos/$GITHUB_REPOSITORY/issues/$number/comments?per_page=100" --jq \
    '.[] | [.id, .user.login, ((.body // "") | split("\n")[0:2] | map(rtrimstr("\r")) | join(" "))] | @tsv') || status=$?
if ((status == 0)); then
    mapfile -t found < <(ours "$wanted" <<<"$comments")
    if ((${#found[@]})); then
        github --method PATCH "repos/$GITHUB_REPOSITORY/issues/comments/${found[0]}" --field body=@"$body" --silent || status=$?
    else
        github --method POST "repos/$GITHUB_REPOSITORY/issues/$number/comments" --field body=@"$body" --silent ||
            status=$?
    fi
fi
case $status in
0) ;;
10) summary_only "the token may not write comments" ;;
11) summary_only "gh is not installed" ;;
*) fail 1 "the comment was not written" ;;
esac
