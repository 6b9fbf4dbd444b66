package lab

import (
	"net/http"
	"time"
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
	Certificates int        `json:"certificates"` // in the chain, the leaf included
}

type identityView struct {
	Email               string `json:"email"`
	PrimaryKeyPairID    string `json:"primary_key_pair_id,omitempty"`
	SigningKeyPairID    string `json:"signing_key_pair_id,omitempty"`
	EncryptionKeyPairID string `json:"encryption_key_pair_id,omitempty"`
}

func (l *Lab) controlUser(r *http.Request) (any, error) {
	email := r.PathValue("email")
	view := userView{Email: email, KeyPairs: []keyPairView{}, Identities: []identityView{}}
	for _, pair := range l.gmail.KeyPairs(email) {
		kp := keyPairView{
			ID: pair.ID, LeafSHA256: pair.LeafSHA256, Emails: pair.Emails, Enabled: pair.Enabled,
			Descriptions: pair.Descriptions, Certificates: len(pair.Chain),
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
	return view, nil
}
