// Drives the served sandbox with the official Go SDK through everything that charter uses of the Admin API.
//
// Reads ANTHROPIC_BASE_URL and ANTHROPIC_API_KEY as the SDK does: from the exports that `charter sandbox` prints.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/anthropics/anthropic-sdk-go/v2"
	"github.com/anthropics/anthropic-sdk-go/v2/option"
)

const (
	organizationID = "3f0c1b1e-0000-4000-8000-000000000000"
	production     = "wrkspc_01prod"
)

var background = context.Background()

// check fails the run with what was seen.
func check(right bool, seen ...any) {
	if !right {
		panic(fmt.Sprintf("not as expected: %+v", seen))
	}
}

// must gives the value of a call that has to succeed.
func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

// refused checks the status and the code of a call that has to fail.
func refused(status int, code string, err error) *anthropic.Error {
	var refusal *anthropic.Error
	check(errors.As(err, &refusal), "not refused", err)
	check(refusal.StatusCode == status, refusal.StatusCode, status, err)
	check(string(refusal.ErrorCode()) == code, refusal.ErrorCode(), code)
	check(refusal.RequestID != "", "an error names its request")
	return refusal
}

// pager is what all lists give.
type pager[T any] interface {
	Next() bool
	Current() T
	Err() error
}

// all reads a list to its end.
func all[T any](pages pager[T], name func(T) string) []string {
	var names []string
	for pages.Next() {
		names = append(names, name(pages.Current()))
	}
	check(pages.Err() == nil, pages.Err())
	return names
}

func same(have []string, want ...string) bool {
	have = slices.Sorted(slices.Values(have))
	slices.Sort(want)
	return slices.Equal(have, want)
}

func organization(client anthropic.Client) {
	found := must(client.Organization.Get(background))
	check(found.ID == organizationID && found.Name == "Acme", found)
}

func users(client anthropic.Client) {
	api := client.Organization.Users
	email := func(user anthropic.OrganizationUser) string { return user.Email }
	listed := func(query anthropic.OrganizationUserListParams) []string {
		return all(api.ListAutoPaging(background, query), email)
	}
	limit := anthropic.Int
	everybody := listed(anthropic.OrganizationUserListParams{Limit: limit(2)})
	check(same(everybody, "ada@acme.com", "bob@acme.com", "cy@acme.com", "dot@acme.com", "eli@acme.com"), everybody)
	page := must(api.List(background, anthropic.OrganizationUserListParams{Limit: limit(1000)}))
	check(!page.HasMore && page.LastID == page.Data[4].ID, page)
	before := must(api.List(background, anthropic.OrganizationUserListParams{BeforeID: anthropic.String(page.Data[2].ID)}))
	check(len(before.Data) == 2 && before.Data[1].ID == page.Data[1].ID, before)
	roles := listed(anthropic.OrganizationUserListParams{Roles: []string{"admin", "billing"}})
	check(same(roles, "ada@acme.com", "dot@acme.com"), roles)
	found := listed(anthropic.OrganizationUserListParams{Email: anthropic.String("BOB+x@acme.com")})
	check(same(found, "bob@acme.com"), found)
	check(must(api.Get(background, "user_01bob")).Role == "developer")
	update := func(id string, role anthropic.OrganizationUserUpdateParamsRole) (*anthropic.OrganizationUser, error) {
		return api.Update(background, id, anthropic.OrganizationUserUpdateParams{Role: role})
	}
	check(must(update("user_01cy", "developer")).Role == "developer")
	_, err := update("user_01ada", "user")
	refused(400, "", err)
	_, err = update("user_01cy", "admin")
	refused(400, "", err)
	_, err = api.Get(background, "user_01nobody")
	refused(404, "", err)
	_, err = api.List(background, anthropic.OrganizationUserListParams{Limit: limit(1001)})
	refused(400, "", err)
	gone := must(api.Remove(background, "user_01eli"))
	check(gone.ID == "user_01eli", gone)
	_, err = api.Remove(background, "user_01eli")
	refused(404, "", err)
}

func invites(client anthropic.Client) {
	api := client.Organization.Invites
	invite := func(email string) (*anthropic.OrganizationInvite, error) {
		return api.New(background, anthropic.OrganizationInviteNewParams{Email: email, Role: "user"})
	}
	made := must(invite("new@acme.com"))
	check(made.Status == "pending" && made.AcceptedAt.IsZero() && len(made.RBACGroupIDs) == 0, made)
	check(made.ExpiresAt.Sub(made.InvitedAt) == 21*24*time.Hour, made)
	_, err := invite("new@acme.com")
	refused(400, "invite_already_exists", err)
	_, err = invite("bob@acme.com")
	refused(400, "already_member", err)
	listed := func(query anthropic.OrganizationInviteListParams) []string {
		email := func(invite anthropic.OrganizationInvite) string { return invite.Email }
		return all(api.ListAutoPaging(background, query), email)
	}
	pending := listed(anthropic.OrganizationInviteListParams{Statuses: []string{"pending"}})
	check(same(pending, "eve@acme.com", "new@acme.com"), pending)
	expired := listed(anthropic.OrganizationInviteListParams{Statuses: []string{"expired"}, Roles: []string{"user"}})
	check(same(expired, "old@acme.com"), expired)
	check(len(listed(anthropic.OrganizationInviteListParams{Limit: anthropic.Int(1)})) == 3)
	check(must(api.Get(background, made.ID)).Email == "new@acme.com")
	check(must(api.Delete(background, made.ID)).ID == made.ID)
	_, err = api.Get(background, made.ID)
	refused(404, "", err)
	_, err = api.Delete(background, "invite_01old")
	refused(400, "", err)
}

func workspaces(client anthropic.Client) {
	api := client.Organization.Workspaces
	create := anthropic.OrganizationWorkspaceNewParams{
		Name: "Lab", DisplayColor: anthropic.String("#00ff00"), Tags: map[string]string{"env": "lab", "team": "ml"},
	}
	create.DataResidency.AllowedInferenceGeos.OfGeos = []anthropic.AllowedInferenceGeo{"us"}
	create.DataResidency.DefaultInferenceGeo = "us"
	made := must(api.New(background, create))
	check(made.Tags["team"] == "ml" && made.ArchivedAt.IsZero(), made)
	geos := made.DataResidency.AllowedInferenceGeos.OfGeos
	check(len(geos) == 1 && geos[0] == "us", geos)
	update := anthropic.OrganizationWorkspaceUpdateParams{
		Name: anthropic.String("Laboratory"), Tags: map[string]string{"tier": "2"},
	}
	update.DataResidency.AllowedInferenceGeos.OfUnrestricted = "unrestricted"
	update.DataResidency.DefaultInferenceGeo = "global"
	changed := must(api.Update(background, made.ID, update))
	check(changed.Name == "Laboratory" && changed.Tags["env"] == "lab" && changed.Tags["tier"] == "2", changed)
	check(changed.DataResidency.AllowedInferenceGeos.OfUnrestricted == "unrestricted", changed)
	// The type of tags has no null, which is what deletes one.
	without := option.WithJSONSet("tags", map[string]any{"env": nil})
	changed = must(api.Update(background, made.ID, anthropic.OrganizationWorkspaceUpdateParams{}, without))
	_, there := changed.Tags["env"]
	check(!there && changed.Tags["team"] == "ml", changed)
	listed := func(query anthropic.OrganizationWorkspaceListParams) []string {
		query.Limit = anthropic.Int(1)
		name := func(workspace anthropic.Workspace) string { return workspace.Name }
		return all(api.ListAutoPaging(background, query), name)
	}
	check(same(listed(anthropic.OrganizationWorkspaceListParams{}), "Production", "Laboratory"))
	everything := listed(anthropic.OrganizationWorkspaceListParams{
		IncludeArchived: anthropic.Bool(true), IncludeDefault: anthropic.Bool(true),
	})
	check(same(everything, "Default", "Production", "Attic", "Laboratory"), everything)
	check(same(listed(anthropic.OrganizationWorkspaceListParams{IDs: []string{production}}), "Production"))
	check(!must(api.Archive(background, made.ID)).ArchivedAt.IsZero())
	check(!must(api.Get(background, made.ID)).ArchivedAt.IsZero())
	_, err := api.Update(background, made.ID, anthropic.OrganizationWorkspaceUpdateParams{Name: anthropic.String("Again")})
	refused(400, "", err)
	_, err = api.Archive(background, "wrkspc_01default")
	refused(400, "", err)
	_, err = api.Get(background, "wrkspc_01nowhere")
	refused(404, "", err)
}

func members(client anthropic.Client) {
	api := client.Organization.Workspaces.Members
	add := func(user string) (*anthropic.WorkspaceMember, error) {
		params := anthropic.OrganizationWorkspaceMemberAddParams{UserID: user, WorkspaceRole: "workspace_user"}
		return api.Add(background, production, params)
	}
	made := must(add("user_01cy"))
	check(made.UserID == "user_01cy" && made.WorkspaceID == production && made.WorkspaceRole == "workspace_user", made)
	user := func(member anthropic.WorkspaceMember) string { return member.UserID }
	query := anthropic.OrganizationWorkspaceMemberListParams{Limit: anthropic.Int(1)}
	listed := all(api.ListAutoPaging(background, production, query), user)
	check(same(listed, "user_01bob", "user_01cy"), listed)
	changed := must(api.Update(background, "user_01cy", anthropic.OrganizationWorkspaceMemberUpdateParams{
		WorkspaceID: production, WorkspaceRole: "workspace_admin",
	}))
	check(changed.WorkspaceRole == "workspace_admin", changed)
	get := anthropic.OrganizationWorkspaceMemberGetParams{WorkspaceID: production}
	check(must(api.Get(background, "user_01cy", get)).WorkspaceRole == "workspace_admin")
	remove := anthropic.OrganizationWorkspaceMemberRemoveParams{WorkspaceID: production}
	check(must(api.Remove(background, "user_01cy", remove)).UserID == "user_01cy")
	// As the real API does: 400, not 404.
	_, err := api.Remove(background, "user_01cy", remove)
	refused(400, "", err)
	_, err = api.Get(background, "user_01cy", get)
	refused(404, "", err)
	_, err = add("user_01ada")
	refused(400, "", err)
}

func keys(client anthropic.Client) {
	api := client.Organization.APIKeys
	listed := func(query anthropic.OrganizationAPIKeyListParams) []string {
		query.Limit = anthropic.Int(1)
		name := func(key anthropic.APIKey) string { return key.Name }
		return all(api.ListAutoPaging(background, query), name)
	}
	check(same(listed(anthropic.OrganizationAPIKeyListParams{}), "ci", "wide", "robot", "dead"))
	active := listed(anthropic.OrganizationAPIKeyListParams{WorkspaceID: anthropic.String(production), Status: "active"})
	check(same(active, "ci", "robot"), active)
	bobs := listed(anthropic.OrganizationAPIKeyListParams{CreatedByUserID: anthropic.String("user_01bob")})
	check(same(bobs, "ci", "wide"), bobs)
	wide := must(api.Get(background, "apikey_01wide"))
	check(wide.Scope.Type == "organization" && wide.Principal.UserID == "user_01bob", wide)
	robot := must(api.Get(background, "apikey_01robot"))
	check(robot.Scope.WorkspaceID == production && robot.Principal.ServiceAccountID == "svac_01ci", robot)
	update := func(params anthropic.OrganizationAPIKeyUpdateParams) (*anthropic.APIKey, error) {
		return api.Update(background, "apikey_01ci", params)
	}
	changed := must(update(anthropic.OrganizationAPIKeyUpdateParams{Name: anthropic.String("ci-2"), Status: "inactive"}))
	check(changed.Name == "ci-2" && changed.Status == "inactive", changed)
	check(must(update(anthropic.OrganizationAPIKeyUpdateParams{Status: "archived"})).Status == "archived")
	_, err := update(anthropic.OrganizationAPIKeyUpdateParams{Status: "active"})
	refused(400, "", err)
	_, err = api.Get(background, "apikey_01nobody")
	refused(404, "", err)
}

func credentials(client anthropic.Client) {
	_, err := client.Organization.Get(background, option.WithAPIKey("sk-ant-admin01-wrong"))
	refused(401, "", err)
	_, err = client.Organization.Get(background, option.WithAPIKey("sk-ant-api03-narrow"))
	refused(403, "", err)
	identity := func(context.Context) (string, error) { return "an.identity.token", nil }
	federated := anthropic.NewClient(
		option.WithoutEnvironmentDefaults(),
		option.WithBaseURL(os.Getenv("ANTHROPIC_BASE_URL")),
		option.WithMaxRetries(0),
		option.WithFederationTokenProvider(identity, option.FederationOptions{
			FederationRuleID: "fdrl_01ci", OrganizationID: organizationID, ServiceAccountID: "svac_01ci",
		}),
	)
	organization(federated)
}

func fault(rule string) {
	body := fmt.Sprintf(`{"do": "add_fault", "rule": %s}`, rule)
	url := os.Getenv("ANTHROPIC_BASE_URL") + "/_sandbox/edit"
	answer := must(http.Post(url, "application/json", strings.NewReader(body)))
	defer answer.Body.Close()
	check(answer.StatusCode == 200, answer.Status)
}

// Errors that come and go, and errors that come after the effect.
func trouble(client anthropic.Client) {
	fault(`{"on": "GET /v1/organizations/me", "times": 1, "then": {"rate_limited": {"milliseconds": 10}}}`)
	must(client.Organization.Get(background, option.WithMaxRetries(2)))
	fault(`{"on": "GET /v1/organizations/me", "times": 1, "then": {"status_before": 503}}`)
	_, err := client.Organization.Get(background)
	check(refused(503, "", err).Type() == "overloaded_error", err)
	fault(`{"on": "POST /v1/organizations/workspaces", "times": 1, "then": {"error_after":
		{"status": 503, "code": "workspace_created_incomplete", "details": {"workspace_id": "{id}"}}}}`)
	half := anthropic.OrganizationWorkspaceNewParams{Name: "Half"}
	// With the SDK's own tries: it does not send such a create again.
	_, err = client.Organization.Workspaces.New(background, half, option.WithMaxRetries(2))
	refusal := refused(503, "workspace_created_incomplete", err)
	var body struct {
		Error struct {
			Details struct {
				WorkspaceID string `json:"workspace_id"`
			}
		}
	}
	check(json.NewDecoder(bytes.NewReader([]byte(refusal.RawJSON()))).Decode(&body) == nil)
	made := must(client.Organization.Workspaces.Get(background, body.Error.Details.WorkspaceID))
	check(made.Name == "Half", made)
	query := anthropic.OrganizationWorkspaceListParams{}
	name := func(workspace anthropic.Workspace) string { return workspace.Name }
	listed := all(client.Organization.Workspaces.ListAutoPaging(background, query), name)
	check(same(listed, "Production", "Half"), listed)
}

func main() {
	// What is checked is each call's own answer, so nothing is sent twice.
	client := anthropic.NewClient(option.WithMaxRetries(0))
	for _, part := range []struct {
		name string
		run  func(anthropic.Client)
	}{
		{"organization", organization}, {"users", users}, {"invites", invites}, {"workspaces", workspaces},
		{"members", members}, {"api_keys", keys}, {"credentials", credentials}, {"trouble", trouble},
	} {
		part.run(client)
		fmt.Printf("go: %s as expected\n", part.name)
	}
}
