package describe

import (
	"fmt"

	"github.com/cse-piv/cse-piv/internal/enroll"
	"github.com/cse-piv/cse-piv/internal/issuer"
)

// Enrolled says in a line of a summary who was enrolled or renewed, with which card, and where the
// evidence is.
func Enrolled(receipt *enroll.Receipt) Value {
	what := "is enrolled with"
	if receipt.Renewal != nil {
		what = "is renewed on"
	}
	return Value{Label: receipt.Email, Tone: OK, Text: fmt.Sprintf("%s card %d; evidence in %s", what, receipt.Card.Serial, receipt.Evidence)}
}

// Unfinished says in a line of a summary what became of somebody who is not enrolled:
// what they wait for, or else failure, which is nil for nothing.
func Unfinished(email string, progress enroll.Progress, failure error, waits []*issuer.WaitingError) Value {
	if progress.Stage == enroll.StageWaiting {
		failure = nil
	}
	value := Progress(progress, "", failure)
	value.Label = email
	for _, wait := range waits {
		value.Details = append(value.Details, wait.Error())
	}
	for _, meanwhile := range Meanwhile(progress) {
		value.Details = append(value.Details, meanwhile.Label+" "+meanwhile.Text)
	}
	for _, factory := range FactoryManagementKey(progress) {
		value.Details = append(value.Details, factory.Label+" "+factory.Text)
	}
	return value
}
