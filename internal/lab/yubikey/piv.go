package yubikey

import "encoding/binary"

// endAdjacency gives and forgets what counts only for the command right after
// it: a PIN policy of "always" wants the PIN by the very last command, and an
// answer to a challenge follows the challenge.
func (s *session) endAdjacency() (pinFresh bool, challenge, witness []byte) {
	pinFresh, challenge, witness = s.pinFresh, s.challenge, s.witness
	s.pinFresh, s.challenge, s.witness = false, nil, nil
	return pinFresh, challenge, witness
}

// piv answers a command to the PIV applet.
func (c *Card) piv(cmd command) ([]byte, status) {
	fresh, challenge, witness := c.session.endAdjacency()

	switch cmd.ins {
	case insVerify:
		return nil, c.verify(cmd)
	case insChangeReference:
		return nil, c.changeReference(cmd)
	case insResetRetryCounter:
		return nil, c.resetRetryCounter(cmd)
	case insGetData:
		return c.getData(cmd)
	case insPutData:
		return nil, c.putData(cmd)
	case insGenerateKeyPair:
		return c.generateKeyPair(cmd)
	case insGeneralAuthenticate:
		if cmd.p2 == byte(slotManagement) {
			return c.authenticateManager(cmd, challenge, witness)
		}
		return c.usePrivateKey(cmd, fresh)
	case insGetVersion:
		v := c.state.Firmware
		return []byte{v.Major, v.Minor, v.Patch}, swOK
	case insImportKey:
		return nil, c.importKey(cmd)
	case insSetPINRetries:
		return nil, c.setPINRetries(cmd)
	case insReset:
		return nil, c.resetApplet(cmd)
	case insSetManagementKey:
		return nil, c.setManagementKey(cmd)
	}
	switch {
	case cmd.ins == insGetSerial && c.profile.can(SerialOverPIV):
		return binary.BigEndian.AppendUint32(nil, c.state.Serial), swOK
	case cmd.ins == insAttest && c.profile.can(Attestation):
		return c.attest(cmd)
	case cmd.ins == insGetMetadata && c.profile.can(Metadata):
		return c.getMetadata(cmd)
	case cmd.ins == insMoveKey && c.profile.can(MoveKey):
		return nil, c.moveKey(cmd)
	}
	return nil, swUnknownInstruction
}

// resetApplet brings the PIV applet back to the factory state. It wants PIN and
// PUK blocked, and spares the attestation key and its certificate.
func (c *Card) resetApplet(cmd command) status {
	if cmd.p1 != 0 || cmd.p2 != 0 {
		return swWrongParameters
	}
	if c.state.PIN.Tries > 0 || c.state.PUK.Tries > 0 {
		return swConditions
	}
	for slot := range c.state.Slots {
		if slot != slotAttestation {
			delete(c.state.Slots, slot)
		}
	}
	for object := range c.state.Objects {
		if object != objectAttestation {
			delete(c.state.Objects, object)
		}
	}
	c.state.restoreFactory(c.profile)
	c.session = session{applet: pivApplet, touched: c.session.touched}
	c.dirty = true
	return swOK
}
