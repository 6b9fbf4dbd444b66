// Package glossary says in a line each what the words of the program mean: those of
// its screens, its messages, its documentation and its source.
package glossary

// Term is a word and what it means.
type Term struct {
	Name string
	// Meaning has at most 70 characters, so that a term fits a line of a window
	// that is 100 columns wide, and two of one that is 80.
	Meaning string
}

// Terms returns all terms in the order of the alphabet.
func Terms() []Term {
	return []Term{
		{"attestation", "proof, signed by the card, that it generated the key itself"},
		{"batch", "the registration of many users whose cards were issued elsewhere"},
		{"CA", "certificate authority: it signs certificates"},
		{"card", "the user's smart card, here a YubiKey; its serial number names it"},
		{"certificate", "the CA's signed statement that a key belongs to an address"},
		{"certificate chain", "the leaf, the CA certificates above it, and the root"},
		{"change", "a step that makes something so, where it is not so already"},
		{"check", "a step that looks at something, and stops where it is not right"},
		{"CHUID", "the card's identifier; Windows remembers certificates by it"},
		{"claim", "a worker's right to work on a user, until it is done or gone"},
		{"CSE", "client-side encryption: Google never sees a mail's plain text"},
		{"decision", "a step that settles what later steps do"},
		{"desk", "where an operator enrolls one person after the other"},
		{"domain-wide delegation", "Google's consent that a service account acts for users"},
		{"enrollment", "all that takes a user and a card to signed and encrypted mail"},
		{"enrollment profile", "what cards and keys must be like, by a name in config.toml"},
		{"entry", "a user in the ledger: what is asked for, and what became of it"},
		{"escrow", "sealed records of PUKs and management keys, for later need"},
		{"EST", "the protocol (RFC 7030) that asks a CA's server for a certificate"},
		{"evidence", "an enrollment's folder: journal, proofs and receipt"},
		{"factory PIN", "the PIN that every new card has; so for PUK and management key"},
		{"fault", "what the practice lab does wrong when it is told to"},
		{"fence", "the check that keeps a worker that lost its claim from acting"},
		{"fingerprint", "the SHA-256 of a certificate or public key, which names it"},
		{"identity", "at Gmail: the key pairs that an address signs and encrypts with"},
		{"intermediate", "a CA certificate between the leaf and the root"},
		{"issuer", "who signs the certificate: a person, a local CA, EST, or step-ca"},
		{"journal", "the evidence's list of what was about to be done, and was done"},
		{"KACLS", "a key service: it holds private keys that are not on a card"},
		{"key history", "earlier certificates, with which old mail can still be read"},
		{"key pair", "at Gmail: a certificate chain, and where its private key is"},
		{"leaf", "the user's own certificate, the lowest of its chain"},
		{"ledger", "the database of all users: what was asked for, and what was done"},
		{"management key", "the card's secret for generating keys and writing objects"},
		{"parked", "of a person in the queue: left for now, and the next one is served"},
		{"PIN", "the user's secret for the card; too many wrong tries block it"},
		{"PIN policy", "when the card wants the PIN for a key: never, once or always"},
		{"PIV", "the standard for the card's slots and commands (NIST SP 800-73)"},
		{"plain text", "not encrypted, as an escrow record is with --escrow-plain"},
		{"plan", "the steps of an enrollment, in their order"},
		{"practice lab", "virtual cards, a Gmail and a CA on this machine, to learn with"},
		{"preview (dry run)", "what each step would do and what would be lost; no changes"},
		{"proof", "what the evidence keeps for others to verify: an attestation"},
		{"PUK", "the secret that unblocks a blocked PIN"},
		{"queue", "the people of a desk, each with how far their enrollment is"},
		{"queue entry", "one person in the queue"},
		{"reader", "the device that a card is put into"},
		{"ready to go on", "of a person in the queue: the certificate that was waited for is there"},
		{"receipt", "the outcome of an enrollment, written by its last step"},
		{"registration", "putting key pairs and identity of one user in place at Gmail"},
		{"renewal", "new certificates, and mostly new keys, for who is enrolled"},
		{"request (CSR)", "what a CA signs: public key and address, signed by the card"},
		{"retired slot", "one of 82 to 95, for old keys that still read old mail"},
		{"root", "the certificate at the top of a chain, which is trusted as it is"},
		{"roster", "the file with the people whom a desk is to enroll"},
		{"run", "one execution of the program for an enrollment or a batch"},
		{"sealed", "of an escrow record: encrypted to its recipients, with age"},
		{"serial number", "the number that names a card (or a certificate of a CA)"},
		{"service account", "the account at Google that acts for the users, by its key file"},
		{"single layout", "one key in 9D, for signing and encryption"},
		{"slot", "a place on the card for one key and its certificate, such as 9D"},
		{"source (of a batch)", "where users and certificates come from: folder, CSV, LDAP"},
		{"source (of a key)", "a new key (generate), or the one in the slot (existing)"},
		{"split layout", "two keys: one in 9C for signing, one in 9D for encryption"},
		{"state (of a card)", "how far its user's key is: empty, waiting, registered and others"},
		{"step", "one part of a plan: a check, a decision or a change"},
		{"superseded", "of a certificate, and its card: Gmail uses another one, or none"},
		{"termination", "the end of a card's use: lost, stolen, broken, or its user leaves"},
		{"touch policy", "when the card wants to be touched for a key: never, cached, always"},
		{"try", "one guess of a PIN or PUK; the card counts those that are left"},
		{"validation profile", "at Google: which certificates it takes, public or relaxed"},
		{"worker", "a process that registers users of a shared ledger, beside others"},
	}
}
