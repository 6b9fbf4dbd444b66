package lab

import (
	"fmt"
	"net/http"
	"time"

	"github.com/cse-piv/cse-piv/internal/lab/workspace"
)

// userView is what the domain holds of a user, as the control endpoint shows
// it.
type userView struct {
	Email      string         `json:"email"`
	KeyPairs   []keyPairView  `json:"key_pairs"`
	Identities []identityView `json:"identities"`
}

type keyPairView struct {
	ID           string     `json:"id"`
	LeafSHA256   string     `json:"leaf_sha256"`
	Emails       []string   `json:"emails"`
	Enabled      bool       `json:"enabled"`
	DisableTime  *time.Time `json:"disable_time,omitempty"`
	Descriptions []string   `json:"hardware_descriptions"`
	KeyServices  []string   `json:"key_services,omitempty"` // that have the key wrapped
	Validated    bool       `json:"validated"`              // false: chainValidation=none
	Certificates int        `json:"certificates"`           // in the chain, the leaf included
}

type identityView struct {
	Email               string `json:"email"`
	PrimaryKeyPairID    string `json:"primary_key_pair_id,omitempty"`
	SigningKeyPairID    string `json:"signing_key_pair_id,omitempty"`
	EncryptionKeyPairID string `json:"encryption_key_pair_id,omitempty"`
}

func (l *Lab) controlUser(r *http.Request) (any, error) { return l.userView(r.PathValue("email")), nil }

// controlAddKeyPair puts a key pair there that no call of the API made.
func (l *Lab) controlAddKeyPair(r *http.Request) (any, error) {
	var body struct {
		Chain       string `json:"chain"` // PEM, leaf first
		Description string `json:"description"`
		KACLSURI    string `json:"kacls_uri"`   // a wrapped key instead of one on a card
		Unvalidated bool   `json:"unvalidated"` // as with chainValidation=none
		Disabled    bool   `json:"disabled"`
	}
	if err := readJSON(r, &body); err != nil {
		return nil, err
	}
	chain, err := parseCertificates([]byte(body.Chain))
	if err != nil {
		return nil, fmt.Errorf("%w: chain: %w", errBadRequest, err)
	}
	email := r.PathValue("email")
	id, err := l.gmail.AddKeyPair(email, workspace.NewKeyPair{
		Chain: chain, Description: body.Description, KACLSURI: body.KACLSURI, Unvalidated: body.Unvalidated, Disabled: body.Disabled,
	})
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errBadRequest, err)
	}
	l.log.line("key pair %s put into the settings of %s", id, email)
	return l.userView(email), nil
}

// controlRename gives a user another primary address: {"to": "ada.byron@lab.example", "identity": "moved"}.
func (l *Lab) controlRename(r *http.Request) (any, error) {
	var body struct {
		To       string            `json:"to"`
		Identity workspace.Renamed `json:"identity"`
	}
	if err := readJSON(r, &body); err != nil {
		return nil, err
	}
	if err := l.Rename(r.PathValue("email"), body.To, body.Identity); err != nil {
		return nil, fmt.Errorf("%w: %w", errBadRequest, err)
	}
	return l.userView(body.To), nil
}

// controlDirectory says what the directory has of a user.
func (l *Lab) controlDirectory(r *http.Request) (any, error) {
	var body struct {
		Aliases   []string `json:"aliases"`
		Suspended bool     `json:"suspended"`
		Archived  bool     `json:"archived"`
		NoMailbox bool     `json:"no_mailbox"`
		Admin     bool     `json:"admin"`
		Deleted   bool     `json:"deleted"`
	}
	if err := readJSON(r, &body); err != nil {
		return nil, err
	}
	email := r.PathValue("email")
	err := l.gmail.List(email, workspace.Listing{
		Aliases: body.Aliases, Suspended: body.Suspended, Archived: body.Archived, NoMailbox: body.NoMailbox, Admin: body.Admin,
	})
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errBadRequest, err)
	}
	if body.Deleted {
		l.gmail.RemoveUser(email)
	}
	l.log.line("the directory has %+v of %s", body, email)
	return body, nil
}

// Rename gives a user another primary address, with which the key pairs are the user's; of the identity
// it becomes what is said.
func (l *Lab) Rename(from, to string, identity workspace.Renamed) error {
	if err := l.gmail.Rename(from, to, identity); err != nil {
		return err
	}
	l.log.line("%s is %s now", from, to)
	return nil
}

func (l *Lab) userView(email string) userView {
	view := userView{Email: email, KeyPairs: []keyPairView{}, Identities: []identityView{}}
	for _, pair := range l.gmail.KeyPairs(email) {
		kp := keyPairView{
			ID: pair.ID, LeafSHA256: pair.LeafSHA256, Emails: pair.Emails, Enabled: pair.Enabled,
			Descriptions: pair.Descriptions, KeyServices: pair.KACLSURIs, Validated: pair.Validated, Certificates: len(pair.Chain),
		}
		if !pair.DisableTime.IsZero() {
			kp.DisableTime = &pair.DisableTime
		}
		view.KeyPairs = append(view.KeyPairs, kp)
	}
	for _, identity := range l.gmail.Identities(email) {
		view.Identities = append(view.Identities, identityView{
			Email: identity.EmailAddress, PrimaryKeyPairID: identity.PrimaryKeyPairID,
			SigningKeyPairID: identity.SigningKeyPairID, EncryptionKeyPairID: identity.EncryptionKeyPairID,
		})
	}
	return view
}
