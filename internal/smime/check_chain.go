package smime

import (
	"github.com/cse-piv/cse-piv/internal/certpath"
)

// ruleOf says which rule a fault in a path breaks.
func ruleOf(cause certpath.Cause) string {
	switch cause {
	case certpath.CauseMissing, certpath.CauseNoRoot, certpath.CauseGivenUp:
		return ruleNoRoot
	case certpath.CauseOtherKey:
		return ruleSignature
	case certpath.CauseAlgorithm:
		return ruleAlgorithm
	case certpath.CauseOtherIssuer, certpath.CauseSpelling:
		return ruleIssuer
	case certpath.CauseSelfSigned:
		return ruleSelfSigned
	case certpath.CauseAfterRoot:
		return ruleAfterRoot
	case certpath.CauseExpired:
		return ruleExpired
	case certpath.CauseNotYetValid:
		return ruleNotYetValid
	case certpath.CauseNotCA:
		return ruleNotCA
	case certpath.CausePathLength:
		return rulePathLength
	case certpath.CausePurpose:
		return rulePurpose
	}
	return ruleConstraints
}

// checkChain checks that the chain is a valid path to a root, with an intermediate.
func (c *checker) checkChain() {
	for _, fault := range c.verifier.Validate(c.chain, certpath.Options{Now: c.options.Now, Mail: true}) {
		if none := c.options.NoPath; none != nil && fault.Cause == certpath.CauseMissing && fault.Index == none.Fault.Index {
			fault = none.Fault
		}
		rule := ruleOf(fault.Cause)
		where := ruleTable()[rule].Where
		switch fault.Cause {
		case certpath.CauseNames:
			where = "extensions.subjectAltName"
		case certpath.CausePolicy:
			where = "extensions.certificatePolicies"
		case certpath.CauseCritical:
			where = "extensions." + fault.Extension.String()
		}
		c.reportAt(rule, fault.Index, where, "%s", fault.Text)
	}
	if len(c.chain) == 2 && c.verifier.IsSelfSigned(c.chain[1]) {
		c.report(ruleDirectIssue, 0, "the root %s issued it directly; Google wants at least one intermediate", subject(c.chain[1]))
	}
}
