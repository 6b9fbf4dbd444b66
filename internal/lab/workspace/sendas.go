package workspace

// listSendAs answers users.settings.sendAs.list with the primary address, the only one that
// users of the lab send from.
func (s *Server) listSendAs(c *call) (any, *apiError) {
	return map[string]any{"sendAs": []any{map[string]any{
		"sendAsEmail": c.user, "displayName": "", "isPrimary": true, "isDefault": true, "verificationStatus": "accepted",
	}}}, nil
}
