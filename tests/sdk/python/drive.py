"""Drives the served sandbox with the official Python SDK through everything that charter uses of the Admin API.

Reads ANTHROPIC_BASE_URL and ANTHROPIC_API_KEY as the SDK does: from the exports that `charter sandbox` prints.
"""

import json
import os
import re
import urllib.request

import anthropic

ORGANIZATION = "3f0c1b1e-0000-4000-8000-000000000000"
PRODUCTION = "wrkspc_01prod"


def refused(kind, call, code=None):
    """The error of a call that has to fail."""
    try:
        call()
    except kind as error:
        details = error.body["error"].get("details") or {}
        assert details.get("error_code") == code, (details, code)
        assert error.request_id, "an error names its request"
        return error
    raise AssertionError(f"not refused with {kind.__name__}")


def control(path, body):
    request = urllib.request.Request(os.environ["ANTHROPIC_BASE_URL"] + path, json.dumps(body).encode())
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


def organization(client):
    found = client.organization.retrieve()
    assert (found.id, found.name, found.type) == (ORGANIZATION, "Acme", "organization"), found


def users(client):
    api = client.organization.users
    everybody = [user.email for user in api.list(limit=2)]
    assert len(everybody) == len(set(everybody)) == 5, everybody
    whole = api.list(limit=1000)
    assert [user.email for user in whole.data] == everybody
    assert whole.has_more is False and whole.last_id == whole.data[-1].id, "the last page has its cursor too"
    before = api.list(limit=1000, before_id=whole.data[2].id)
    assert [user.id for user in before.data] == [user.id for user in whole.data[:2]]
    assert [user.role for user in api.list(roles=["admin", "billing"])].count("admin") == 1
    assert [user.email for user in api.list(email="BOB+x@acme.com")] == ["bob@acme.com"], "the filter is fuzzy"
    assert api.retrieve("user_01bob").role == "developer"
    assert api.update("user_01cy", role="developer").role == "developer"
    assert api.retrieve("user_01cy").role == "developer"
    refused(anthropic.BadRequestError, lambda: api.update("user_01ada", role="user"))
    refused(anthropic.BadRequestError, lambda: api.update("user_01cy", role="admin"))
    refused(anthropic.NotFoundError, lambda: api.retrieve("user_01nobody"))
    refused(anthropic.BadRequestError, lambda: api.list(limit=1001))
    gone = api.remove("user_01eli")
    assert (gone.id, gone.type) == ("user_01eli", "user_deleted")
    refused(anthropic.NotFoundError, lambda: api.remove("user_01eli"))


def invites(client):
    api = client.organization.invites
    made = api.create(email="new@acme.com", role="user")
    assert (made.status, made.accepted_at, made.rbac_group_ids) == ("pending", None, []), made
    assert (made.expires_at - made.invited_at).days == 21
    refused(anthropic.BadRequestError, lambda: api.create(email="new@acme.com", role="user"), "invite_already_exists")
    refused(anthropic.BadRequestError, lambda: api.create(email="bob@acme.com", role="user"), "already_member")
    assert {invite.email for invite in api.list(statuses=["pending"])} == {"eve@acme.com", "new@acme.com"}
    assert [invite.email for invite in api.list(statuses=["expired"], roles=["user"])] == ["old@acme.com"]
    assert len(list(api.list(limit=1))) == 3
    assert api.retrieve(made.id).email == "new@acme.com"
    assert api.delete(made.id).type == "invite_deleted"
    refused(anthropic.NotFoundError, lambda: api.retrieve(made.id))
    refused(anthropic.BadRequestError, lambda: api.delete("invite_01old"))


def workspaces(client):
    api = client.organization.workspaces
    residency = {"allowed_inference_geos": ["us"], "default_inference_geo": "us"}
    made = api.create(name="Lab", display_color="#00ff00", tags={"env": "lab", "team": "ml"}, data_residency=residency)
    assert made.tags == {"env": "lab", "team": "ml"} and made.archived_at is None
    assert made.data_residency.allowed_inference_geos == ["us"]
    changed = api.update(made.id, name="Laboratory", tags={"env": None, "tier": "2"})
    assert (changed.name, changed.tags) == ("Laboratory", {"team": "ml", "tier": "2"}), changed
    wider = {"allowed_inference_geos": "unrestricted", "default_inference_geo": "global"}
    assert api.update(made.id, data_residency=wider).data_residency.allowed_inference_geos == "unrestricted"
    names = lambda **query: {workspace.name for workspace in api.list(limit=1, **query)}
    assert names() == {"Production", "Laboratory"}
    assert names(include_archived=True, include_default=True) == {"Default", "Production", "Attic", "Laboratory"}
    assert [workspace.id for workspace in api.list(ids=[PRODUCTION])] == [PRODUCTION]
    assert api.archive(made.id).archived_at is not None
    assert api.retrieve(made.id).archived_at is not None
    refused(anthropic.BadRequestError, lambda: api.update(made.id, name="Again"))
    refused(anthropic.BadRequestError, lambda: api.archive("wrkspc_01default"))
    refused(anthropic.BadRequestError, lambda: api.create(name=""))
    refused(anthropic.NotFoundError, lambda: api.retrieve("wrkspc_01nowhere"))


def members(client):
    api = client.organization.workspaces.members
    made = api.add(PRODUCTION, user_id="user_01cy", workspace_role="workspace_user")
    assert (made.user_id, made.workspace_id, made.workspace_role) == ("user_01cy", PRODUCTION, "workspace_user")
    assert {member.user_id for member in api.list(PRODUCTION, limit=1)} == {"user_01bob", "user_01cy"}
    changed = api.update("user_01cy", workspace_id=PRODUCTION, workspace_role="workspace_admin")
    assert changed.workspace_role == "workspace_admin"
    assert api.retrieve("user_01cy", workspace_id=PRODUCTION).workspace_role == "workspace_admin"
    gone = api.remove("user_01cy", workspace_id=PRODUCTION)
    assert (gone.type, gone.user_id, gone.workspace_id) == ("workspace_member_deleted", "user_01cy", PRODUCTION)
    # As the real API does: 400, not 404.
    refused(anthropic.BadRequestError, lambda: api.remove("user_01cy", workspace_id=PRODUCTION))
    refused(anthropic.NotFoundError, lambda: api.retrieve("user_01cy", workspace_id=PRODUCTION))
    refused(anthropic.BadRequestError, lambda: api.add(PRODUCTION, user_id="user_01ada", workspace_role="workspace_user"))


def api_keys(client):
    api = client.organization.api_keys
    assert {key.name for key in api.list(limit=1)} == {"ci", "wide", "robot", "dead"}
    assert {key.name for key in api.list(workspace_id=PRODUCTION, status="active")} == {"ci", "robot"}
    assert {key.name for key in api.list(created_by_user_id="user_01bob")} == {"ci", "wide"}
    wide = api.retrieve("apikey_01wide")
    assert (wide.scope.type, wide.principal.type, wide.principal.user_id) == ("organization", "user_actor", "user_01bob")
    robot = api.retrieve("apikey_01robot")
    assert robot.principal.service_account_id == "svac_01ci" and robot.scope.workspace_id == PRODUCTION
    changed = api.update("apikey_01ci", name="ci-2", status="inactive")
    assert (changed.name, changed.status) == ("ci-2", "inactive")
    assert api.update("apikey_01ci", status="archived").status == "archived"
    refused(anthropic.BadRequestError, lambda: api.update("apikey_01ci", status="active"))
    refused(anthropic.NotFoundError, lambda: api.retrieve("apikey_01nobody"))


def credentials(client):
    wrong = client.with_options(api_key="sk-ant-admin01-wrong")
    refused(anthropic.AuthenticationError, wrong.organization.retrieve)
    narrow = client.with_options(api_key="sk-ant-api03-narrow")
    refused(anthropic.PermissionDeniedError, narrow.organization.retrieve)
    # Workload identity: the SDK exchanges the identity token for a token of its own.
    key = os.environ.pop("ANTHROPIC_API_KEY")
    identity = {
        "ANTHROPIC_FEDERATION_RULE_ID": "fdrl_01ci",
        "ANTHROPIC_ORGANIZATION_ID": ORGANIZATION,
        "ANTHROPIC_SERVICE_ACCOUNT_ID": "svac_01ci",
        "ANTHROPIC_IDENTITY_TOKEN": "an.identity.token",
    }
    os.environ.update(identity)
    with anthropic.Anthropic(max_retries=0) as federated:
        organization(federated)
    for name in identity:
        del os.environ[name]
    os.environ["ANTHROPIC_API_KEY"] = key


def trouble(client):
    """Errors that come and go, and errors that come after the effect."""
    fault = lambda rule: control("/_sandbox/edit", {"do": "add_fault", "rule": rule})
    patient = client.with_options(max_retries=2)
    fault({"on": "GET /v1/organizations/me", "times": 1, "then": {"rate_limited": {"milliseconds": 10}}})
    organization(patient)
    fault({"on": "GET /v1/organizations/me", "times": 1, "then": {"status_before": 503}})
    error = refused(anthropic.APIStatusError, client.organization.retrieve)
    assert (error.status_code, error.body["error"]["type"]) == (503, "overloaded_error")
    half = {"status": 503, "code": "workspace_created_incomplete", "details": {"workspace_id": "{id}"}}
    fault({"on": "POST /v1/organizations/workspaces", "times": 1, "then": {"error_after": half}})
    create = lambda: client.organization.workspaces.create(name="Half")
    error = refused(anthropic.APIStatusError, create, "workspace_created_incomplete")
    made = client.organization.workspaces.retrieve(error.body["error"]["details"]["workspace_id"])
    assert made.name == "Half"
    raw = client.organization.users.with_raw_response.retrieve("user_01bob")
    assert raw.headers["anthropic-organization-id"] == ORGANIZATION
    added = json.loads(raw.http_response.content)["added_at"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?Z", added), added


def main():
    assert anthropic.__version__ == "2.14.0", anthropic.__version__
    # What is asserted is each call's own answer, so nothing is sent twice.
    with anthropic.Anthropic(max_retries=0) as client:
        for part in (organization, users, invites, workspaces, members, api_keys, credentials, trouble):
            part(client)
            print(f"python: {part.__name__} as expected")


main()
