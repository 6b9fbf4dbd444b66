package yubikey

// generateKeyPair makes a key pair in a slot (SP 800-73-4 Part 2, 3.3.2, with
// Yubico's policies). It wants the management key, and overwrites without
// asking, as cards do.
func (c *Card) generateKeyPair(cmd command) ([]byte, status) {
	slot := slotID(cmd.p2)
	if cmd.p1 != 0 || !c.profile.holds(slot) {
		return nil, swWrongP1P2
	}
	if !c.session.managed {
		return nil, swSecurityStatus
	}
	a, p, ok := c.parseGenerate(slot, cmd.data)
	if !ok {
		return nil, swWrongData
	}
	private, err := c.generate(a)
	if err != nil {
		return nil, swNoPreciseDiagnostic
	}
	key, err := newSlotState(private, originGenerated, p)
	if err != nil {
		return nil, swNoPreciseDiagnostic
	}
	c.state.Slots[slot] = key
	c.dirty = true
	return appendTLV(nil, 0x7f49, encodePublic(publicOf(private))), swOK
}

// parseGenerate reads the control reference template AC with the algorithm in
// tag 80.
func (c *Card) parseGenerate(slot slotID, data []byte) (algorithm, policies, bool) {
	template, rest, ok := nextTLV(data)
	if !ok || template.tag != 0xac || len(rest) > 0 {
		return 0, policies{}, false
	}
	fields, ok := parseTLVs(template.value)
	if !ok {
		return 0, policies{}, false
	}
	var a algorithm
	for _, field := range fields {
		if field.tag == 0x80 && len(field.value) == 1 {
			a = algorithm(field.value[0])
		}
	}
	p, ok := c.profile.parsePolicies(slot, fields)
	return a, p, ok && c.profile.supports(a)
}

// moveKey moves a key with its policies and origin to an empty slot, or deletes
// it (Yubico's PIV extensions, from 5.7). It wants the management key.
func (c *Card) moveKey(cmd command) status {
	from, to := slotID(cmd.p2), slotID(cmd.p1)
	if !c.session.managed {
		return swSecurityStatus
	}
	deletes := cmd.p1 == deleteInsteadOfMove
	switch {
	case !from.holdsKeyPair():
		return swWrongParameters
	case !deletes && (!from.forUser() || !to.forUser()):
		return swWrongParameters
	case len(cmd.data) > 0:
		return swWrongLength
	}
	key, ok := c.state.Slots[from]
	if !ok {
		return swReferenceNotFound
	}
	if !deletes {
		if _, taken := c.state.Slots[to]; taken {
			return swWrongData
		}
		c.state.Slots[to] = key
	}
	delete(c.state.Slots, from)
	c.dirty = true
	return swOK
}
