package gmail

import "testing"

func TestErrorsRepeatNoCredentials(t *testing.T) {
	for message, want := range map[string]string{
		"refused: Authorization: Bearer ya29.a0AfH6SMB-x_y, sorry":                     "refused: Authorization: [credential], sorry",
		"bearer  opaque/Token+123== is bad":                                            "[credential] is bad",
		`{"token":"ya29.c.Ko8BvQ"}`:                                                    `{"token":"[credential]"}`,
		"assertion=eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJ4In0.c2ln-_ expired":                "assertion=[credential] expired",
		"the bearer of bad news says: 503":                                             "the bearer of bad news says: 503",
		"key pair ANe1BmHSTmPVKtI6fajkiF1kGRWmhTStkVjLgpQ7xZw2Nd0aYc4RbE8 is disabled": "key pair ANe1BmHSTmPVKtI6fajkiF1kGRWmhTStkVjLgpQ7xZw2Nd0aYc4RbE8 is disabled",
	} {
		e := &Error{Method: "keypairs.list", Message: message}
		if got := e.Error(); got != "keypairs.list: "+want {
			t.Errorf("%q", got)
		}
	}
}
