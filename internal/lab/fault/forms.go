package fault

// Form is one kind of specification.
type Form struct {
	Spec  string // an example that can be used as it is
	About string
}

// Forms lists the kinds of specifications that Set understands.
func Forms() []Form {
	return []Form{
		{"api:5%", "that share of API calls fails: 429, 403 `rateLimitExceeded`, 503, resets, answers lost after the commit"},
		{"api:503@3", "the third call from now gets 503 (also `429`, `403`, `500`, `reset`, `lost`)"},
		{"api:lost@keypairs.create:1", "the first call of that method from now is carried out, and its answer lost"},
		{"api:503@keypairs.list", "every call of that method from now gets 503; the others the same way"},
		{"api:body=null@keypairs.create:1", "that call is carried out, and its answer is that of a hostile server, see below"},
		{"card:reset:2%", "that share of card commands meets a loose contact"},
		{"card:reset@17", "the 17th command from now meets a loose contact"},
		{"card:pull@17", "the card is pulled before the 17th command from now"},
		{"card:pull-after@17", "it is pulled when that command was carried out, and the answer lost"},
		{"card:full", "there is no room for further objects on the card"},
		{"card:lie=serial-0", "the card lies from now on, see below"},
		{"card:lie=serial@17", "it lies from the 17th command from now on"},
		{"pin:blocked", "somebody used up the PIN's tries"},
		{"cse-off", "client-side encryption is off for everybody"},
		{"cse-off:ada@lab.example", "it is off for one user"},
		{"scope-missing", "the service account was not given the API's scopes"},
		{"scope-other", "it was given another scope than the program asks for"},
		{"api-disabled", "the Gmail API is off in the service account's project"},
		{"directory-disabled", "the Admin SDK API is off in the service account's project"},
		{"policy-refuses", "a policy of the domain refuses the Gmail API"},
		{"impersonation-denied", "this machine may not act through the service account"},
		{"consent-denied", "whoever logs in at the browser does not allow what is asked for"},
		{"other-state", "what comes back from the browser has another state than was sent, as from a page that forges it"},
		{"logins-revoked", "what people allowed at the browser so far is taken back"},
		{"readers-refused", "the smart card service refuses every program, as where polkit forbids it"},
		{"clock-skew:10m", "the token endpoint's clock is that far ahead (or, with a minus sign, behind), so this machine's is wrong"},
		{"latency:50ms", "every API call takes that much longer"},
		{"off", "none of the above any more"},
	}
}
