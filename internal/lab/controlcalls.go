package lab

import "net/http"

// ControlCall is one thing that the control endpoint can be asked for.
type ControlCall struct {
	Method string `json:"method"`
	// Path is below ControlURL; {n} stands for a reader's number from 0 on,
	// {email} for a user's address.
	Path string `json:"path"`
	// Body shows what can be sent, empty where there is nothing to send.
	Body  string `json:"body,omitempty"`
	About string `json:"about"`

	act func(*Lab, *http.Request) (any, error)
}

// ControlCalls lists them. The answer is JSON; an error is {"error": "…"}.
func ControlCalls() []ControlCall {
	return []ControlCall{
		{"GET", "", "", "this list",
			func(*Lab, *http.Request) (any, error) { return ControlCalls(), nil }},
		{"GET", "stats", "", "how many commands and calls there were, and what they took (times in nanoseconds)",
			func(l *Lab, _ *http.Request) (any, error) { return l.Stats(), nil }},
		{"POST", "faults", "card:pull@40", "switches faults on, one specification a line", (*Lab).controlFaults},
		{"GET", "readers", "", "what is in the readers, and whether a card is unlocked",
			func(l *Lab, _ *http.Request) (any, error) { return l.readerViews(), nil }},
		{"POST", "readers/{n}/pull", "", "takes the card out", (*Lab).controlPull},
		{"POST", "readers/{n}/insert", `{"serial": 42, "firmware": "5.4.3"}`,
			`puts the last card back; with a body another one, also {"blank": true}, {"from": "DIR"} for one that was issued elsewhere, or {"foreign": true} for a card that is no YubiKey`,
			(*Lab).controlInsert},
		{"POST", "touch", `{"manual": true}`, "touches the cards that wait; with the body they wait for it from now on", (*Lab).controlTouch},
		{"POST", "clock", `{"advance": "720h"}`, "moves the clock of Gmail, CA and cards forward", (*Lab).controlClock},
		{"POST", "cse", `{"email": "", "on": false}`, "switches client-side encryption, for everybody where no address is given", (*Lab).controlCSE},
		{"POST", "revoke", `{"certificate": "-----BEGIN CERTIFICATE-----…"}`, "has the CA revoke a certificate", (*Lab).controlRevoke},
		{"POST", "service-account/keys", `{"certificate": "-----BEGIN CERTIFICATE-----…"}`,
			"gives the service account a further key, that of a certificate (gcloud iam service-accounts keys upload)", (*Lab).controlUploadKey},
		{"GET", "users/{email}", "", "the user's key pairs and identities", (*Lab).controlUser},
		{"POST", "users/{email}/keypairs", `{"chain": "-----BEGIN CERTIFICATE-----…"}`,
			`adds a key pair; also "kacls_uri", "unvalidated" and "disabled"`, (*Lab).controlAddKeyPair},
		{"POST", "users/{email}/directory", `{"aliases": ["countess@lab.example"], "suspended": true}`,
			`what the directory has of the user, and that alone; also "archived", "no_mailbox", "admin" and, for an account that was deleted, "deleted"`, (*Lab).controlDirectory},
		{"POST", "users/{email}/rename", `{"to": "ada.byron@lab.example"}`, "gives the user another primary address: the key pairs come along; an identity is gone, or with \"identity\" moved or kept under the former address", (*Lab).controlRename},
	}
}

// controlRoutes adds them to the lab's endpoints.
func (l *Lab) controlRoutes(mux *http.ServeMux) {
	for _, call := range ControlCalls() {
		path := "/control/" + call.Path
		if call.Path == "" {
			path += "{$}"
		}
		mux.Handle(call.Method+" "+path, control(func(r *http.Request) (any, error) { return call.act(l, r) }))
	}
}
