package status

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/cse-piv/cse-piv/internal/evidence"
	"github.com/cse-piv/cse-piv/internal/gmail"
	"github.com/cse-piv/cse-piv/internal/ledger"
	"github.com/cse-piv/cse-piv/internal/registered"
)

// TestFindings: each problem is found where it is, with the command for it, and nothing
// where all is well.
func TestFindings(t *testing.T) {
	now := time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)
	far, near, past := now.AddDate(1, 0, 0), now.AddDate(0, 0, 30), now.AddDate(0, 0, -1)
	pair := func(id string, end time.Time) gmail.KeyPair {
		return gmail.KeyPair{ID: id, LeafSHA256: "leaf" + id, NotAfter: end, Enabled: true, HardwareDescriptions: []string{"card"}}
	}
	at := func(identity string, pairs ...gmail.KeyPair) *registered.State {
		state := &registered.State{KeyPairs: pairs}
		if identity != "" {
			state.Identity = &gmail.Identity{PrimaryKeyPairID: identity}
		}
		return state
	}
	entry := func(id string, state ledger.State, run int64, end time.Time) *ledger.Entry {
		return &ledger.Entry{State: state, Run: run, Pairs: []ledger.Pair{{Use: "both", LeafSHA256: "leaf" + id, NotAfter: end}}}
	}
	done := entry("1", ledger.StateDone, 0, far)
	on := func(id string, state ledger.CardState) []ledger.CardCertificate {
		return []ledger.CardCertificate{{Serial: 7, LeafSHA256: "leaf" + id, State: state, Use: "both"}}
	}
	disabled, twin, service := pair("1", far), pair("2", far), pair("3", far)
	disabled.Enabled = false
	twin.LeafSHA256 = "leaf1"
	service.HardwareDescriptions, service.KeyServices = nil, []string{"https://kacls.example"}
	renewal := func(kind, leaf string) *Begun {
		return &Begun{Serial: 7, Renewal: &evidence.Renewal{Kind: kind, Keys: map[string]evidence.OldKey{"9d": {Certificate: leaf}}}}
	}
	finished := renewal("new-key", "leaf1")
	finished.Finished = true
	replacement := &Begun{Serial: 8, Replaces: true, Former: []uint32{7}}
	onlyFormer := &Begun{Serial: 8, Replaces: true, Former: []uint32{7}, Registered: true}
	onCard := func(id string, serial uint32) gmail.KeyPair {
		pair := pair(id, far)
		pair.HardwareDescriptions = []string{fmt.Sprintf("YubiKey, serial %d, slot 9d", serial)}
		return pair
	}
	for name, c := range map[string]struct {
		user User
		want string // problem command key pair; ...
	}{
		"all is well":                          {User{Entry: done, Cards: on("1", ledger.CardInUse), Gmail: at("1", pair("1", far))}, ""},
		"an older card, for reading":           {User{Entry: done, Earlier: []ledger.Pair{{LeafSHA256: "leaf2"}}, Gmail: at("1", pair("1", far), pair("2", past))}, ""},
		"disabled":                             {User{Entry: done, Gmail: at("1", disabled)}, "disabled keypair-enable 1;"},
		"ended":                                {User{Entry: done, Gmail: at("1", pair("1", past))}, "ended renew 1;"},
		"ends soon":                            {User{Entry: done, Gmail: at("1", pair("1", near))}, "ends-soon renew ;"},
		"lost":                                 {User{Entry: done, Cards: on("1", ledger.CardLost), Gmail: at("1", pair("1", far))}, "card-gone replace 1;"},
		"no identity":                          {User{Entry: done, Gmail: at("", pair("2", far), pair("1", far), pair("4", far))}, "no-identity identity-set 1;"},
		"nothing at Gmail":                     {User{Entry: done, Gmail: at("")}, "not-at-gmail enroll ;"},
		"nothing at Gmail, by batch":           {User{Entry: entry("1", ledger.StateDone, 3, far), Gmail: at("")}, "not-at-gmail batch ;"},
		"waits in a batch":                     {User{Entry: entry("1", ledger.StateWaiting, 3, far), Gmail: at("")}, "not-registered batch ;"},
		"nobody knows them":                    {User{Gmail: at("")}, "not-registered enroll ;"},
		"lost, and taken away":                 {User{Entry: done, Cards: on("1", ledger.CardLost), Gmail: at("", disabled, pair("2", far))}, "card-gone replace ;"},
		"withdrawn":                            {User{Entry: done, Cards: on("1", ledger.CardWithdrawn), Gmail: at("", disabled)}, ""},
		"left":                                 {User{Entry: done, Cards: on("1", ledger.CardReturned), Gmail: at("", pair("1", far))}, ""},
		"left, whose card nobody knows":        {User{Entry: entry("1", ledger.StateDone, 3, far), ByHand: &ledger.Action{Verb: "leave"}, Gmail: at("", disabled)}, ""},
		"so, and in the source":                {User{Entry: entry("1", ledger.StateDone, 3, far), ByHand: &ledger.Action{Verb: "leave"}, Gmail: at("", disabled), Source: InSource}, "not-at-gmail batch ;"},
		"lost, whose card nobody knows":        {User{Entry: entry("1", ledger.StateDone, 3, far), ByHand: &ledger.Action{Verb: "lost"}, Gmail: at("", disabled)}, "card-gone replace ;"},
		"left, and in the source":              {User{Entry: done, Cards: on("1", ledger.CardReturned), Gmail: at(""), Source: InSource}, "not-at-gmail enroll ;"},
		"gone from the source":                 {User{Entry: done, Gmail: at("1", pair("1", far)), Source: NotInSource}, "not-in-source leave ;"},
		"in the source":                        {User{Entry: done, Gmail: at("1", pair("1", far)), Source: InSource}, ""},
		"not in the ledger":                    {User{Gmail: at("1", pair("1", far))}, "no-ledger-entry enroll 1;in-no-identity keypair-show 5;"},
		"another than in the ledger":           {User{Entry: done, Gmail: at("2", pair("1", far), pair("2", far))}, "other-certificate enroll 2;"},
		"twice":                                {User{Entry: done, Gmail: at("1", pair("1", far), twin)}, "superfluous keypair-disable 2;"},
		"beside a key service":                 {User{Entry: done, Gmail: at("1", pair("1", far), service)}, "key-service keypair-disable 3;"},
		"in a key service":                     {User{Entry: done, Gmail: at("3", pair("1", far), service)}, "other-certificate enroll 3;key-service identity-set 1;"},
		"only in a key service":                {User{Gmail: at("3", service)}, "no-ledger-entry enroll 3;"},
		"no answer":                            {User{Entry: done}, ""},
		"no answer, and to be looked at again": {User{Entry: &ledger.Entry{State: ledger.StateWaiting, Earlier: true, Run: 4, Pairs: []ledger.Pair{{Use: "both", NotAfter: near}}}}, "ends-soon renew ;"},
		"no answer, and ended":                 {User{Entry: entry("1", ledger.StateDone, 0, past)}, "ended renew ;"},
		"no answer, and ends soon":             {User{Entry: entry("1", ledger.StateDone, 0, near)}, "ends-soon renew ;"},
		"no answer, and nobody known":          {User{}, "not-registered enroll ;"},
		"account gone":                         {User{Entry: done, Refused: &gmail.Error{Kind: gmail.KindNoUser}}, "no-account card-reset ;"},
		"suspended":                            {User{Entry: done, Refused: &gmail.Error{Kind: gmail.KindSuspended}, Source: NotInSource}, "suspended leave ;"},
		"refused by a run since":               {User{Entry: &ledger.Entry{State: ledger.StateFailed, Step: ledger.StepIdentity, Run: 3}, Refused: &gmail.Error{Kind: gmail.KindSuspended}}, "suspended leave ;"},
		"archived, not registered":             {User{Refused: &gmail.Error{Kind: gmail.KindArchived}, Source: InSource}, "suspended enroll ;"},
		"suspended, of no concern":             {User{Refused: &gmail.Error{Kind: gmail.KindSuspended}, Entry: entry("1", ledger.StateFailed, 3, far), Source: NotInSource}, ""},
		"gone, and left before":                {User{Entry: entry("1", ledger.StateFailed, 3, far), Cards: on("1", ledger.CardReturned), Refused: &gmail.Error{Kind: gmail.KindNoUser}}, ""},
		"an alias":                             {User{Entry: done, Refused: &gmail.Error{Kind: gmail.KindAlias, Primary: "ada@lab.example"}}, "alias enroll ;"},
		"no mailbox":                           {User{Refused: &gmail.Error{Kind: gmail.KindNoMailbox}, Source: InSource}, "no-mailbox enroll ;"},
		"renewed half way":                     {User{Entry: done, Cards: on("1", ledger.CardInUse), Begun: renewal("new-key", "leaf1"), Gmail: at("1", pair("1", far))}, "renewal-begun renew ;"},
		"renewed half way, and ends soon":      {User{Entry: done, Cards: on("1", ledger.CardInUse), Begun: renewal("same-key", "leaf1"), Gmail: at("1", pair("1", near))}, "renewal-begun renew-same-key ;ends-soon renew-same-key ;"},
		"renewed half way, and no answer":      {User{Entry: done, Cards: on("1", ledger.CardInUse), Begun: renewal("new-key", "leaf1")}, "renewal-begun renew ;"},
		"renewed, and not in the ledger":       {User{Entry: done, Cards: on("1", ledger.CardInUse), Begun: renewal("new-key", "leaf1"), Gmail: at("2", onCard("1", 7), onCard("2", 7))}, "renewal-begun renew ;"},
		"renewed":                              {User{Entry: done, Cards: on("1", ledger.CardInUse), Begun: finished, Gmail: at("1", pair("1", far))}, ""},
		"renewed elsewhere":                    {User{Entry: done, Cards: on("1", ledger.CardInUse), Begun: renewal("new-key", "leaf0"), Gmail: at("1", onCard("1", 7))}, ""},
		"renewed half way, and lost":           {User{Entry: done, Cards: on("1", ledger.CardLost), Begun: renewal("new-key", "leaf1"), Gmail: at("", disabled)}, "card-gone replace ;"},
		"renewed half way, and on another":     {User{Entry: done, Cards: on("1", ledger.CardInUse), Begun: renewal("new-key", "leaf0"), Gmail: at("1", onCard("1", 9))}, ""},
		"replaced half way":                    {User{Entry: done, Cards: on("1", ledger.CardInUse), Begun: replacement, Gmail: at("1", onCard("1", 7))}, "replacement-begun replace-begun ;"},
		"replaced half way, and no answer":     {User{Entry: done, Cards: on("1", ledger.CardInUse), Begun: replacement}, "replacement-begun replace-begun ;"},
		"replaced, and not in the ledger":      {User{Entry: done, Cards: on("1", ledger.CardInUse), Begun: replacement, Gmail: at("2", onCard("2", 8))}, "replacement-begun replace-begun ;"},
		"moved half way":                       {User{Entry: done, Cards: on("1", ledger.CardInUse), Begun: &Begun{Serial: 8, MovesFrom: []string{"card 7"}}, Gmail: at("1", onCard("1", 7))}, "replacement-begun enroll ;"},
		"replaced, but for the former card":    {User{Entry: done, Cards: []ledger.CardCertificate{{Serial: 8, LeafSHA256: "leaf1", State: ledger.CardInUse}}, Begun: onlyFormer, Gmail: at("1", onCard("1", 8))}, "replacement-begun replace-begun ;"},
		"lost, and replaced half way":          {User{Entry: done, Cards: on("1", ledger.CardLost), Begun: replacement, Gmail: at("", disabled)}, "card-gone replace-begun ;"},
		"begun, and never registered":          {User{Begun: &Begun{Serial: 7}, Gmail: at("")}, "not-registered enroll ;"},
		"another card in the reader":           {User{Entry: done, Gmail: at("1", pair("1", far)), Inserted: &Card{}}, "card-not-used status-card ;"},
	} {
		if name == "not in the ledger" {
			c.user.Gmail.KeyPairs = append(c.user.Gmail.KeyPairs, pair("5", far))
		}
		got := ""
		for _, finding := range c.user.Findings(now, 60*24*time.Hour) {
			got += strings.Join([]string{string(finding.Problem), string(finding.Command), finding.KeyPairID}, " ") + ";"
			if finding.Text == "" {
				t.Errorf("%s: %+v", name, finding)
			}
		}
		if got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}
