package gmail

import "regexp"

// credential finds access tokens and signed assertions in texts.
var credential = regexp.MustCompile(`(?i)\bbearer +[^\s"',;<>]{8,}|\bya29\.[\w.~+/=-]+|\beyJ[\w-]+(\.[\w-]*){1,2}`)

// mask takes out credentials: an answer may repeat the request that it is to,
// above all that of a proxy.
func mask(s string) string { return credential.ReplaceAllString(s, "[credential]") }
