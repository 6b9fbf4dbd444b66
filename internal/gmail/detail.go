package gmail

// Detail tells errors of one [Kind] apart where they do not have the same remedy.
type Detail string

// The details of errors.
const (
	DetailIntermediary       Detail = "intermediary"         // something on the way answers in the server's place
	DetailProxy              Detail = "proxy"                // the proxy refuses, wants a name and password, or cannot be reached
	DetailAccountGone        Detail = "account-gone"         // the user's account was deleted or suspended
	DetailNoCredentials      Detail = "no-credentials"       // no credentials were given
	DetailOAuthClient        Detail = "oauth-client"         // the file is an OAuth client, not a service account's key
	DetailMachineFile        Detail = "machine-file"         // the file is a machine's or a person's own credentials, not a service account's key
	DetailSigner             Detail = "signer"               // the service account's key did not sign: Err says why
	DetailClient             Detail = "client"               // the file is not the OAuth client of a desktop app
	DetailConsent            Detail = "consent"              // the person did not allow what was asked for
	DetailLoginTimeout       Detail = "login-timeout"        // nobody logged in
	DetailLoginState         Detail = "login-state"          // what came back belongs to another login
	DetailLoginRevoked       Detail = "login-revoked"        // the login was taken back, or ran out
	DetailNotLoggedIn        Detail = "not-logged-in"        // nobody was asked to log in
	DetailLoginScope         Detail = "login-scope"          // the login is not allowed the scope
	DetailOtherLogin         Detail = "other-login"          // somebody else is logged in
	DetailMachine            Detail = "machine-credentials"  // this machine has no application default credentials that can be used
	DetailTokenCreator       Detail = "token-creator"        // this machine's credentials may not sign for the service account
	DetailTokenEndpoint      Detail = "token-endpoint"       // the token endpoint gave no usable token
	DetailOtherDomain        Detail = "other-domain"         // not delegated, or the user is of another domain: the answer does not say which
	DetailClock              Detail = "clock"                // this machine's clock is wrong
	DetailKeyGone            Detail = "key-gone"             // the service account's key was deleted, or is another account's
	DetailServiceAccountGone Detail = "service-account-gone" // the service account was deleted or disabled
	DetailKeyUnknown         Detail = "key-unknown"          // Google does not publish the key as one of the service account's
	DetailDirectoryAdmin     Detail = "directory-admin"      // as whom the directory is asked is no administrator who may read users
	DetailDirectoryAPI       Detail = "directory-api"        // the Admin SDK API, and not Gmail's, is off in the project
	DetailDirectoryOther     Detail = "directory-other"      // the administrator may read users, and not this one
	DetailGrant              Detail = "grant"                // refused for a reason that the answer does not say
)
