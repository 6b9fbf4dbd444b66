// Package fault decides when the practice lab misbehaves.
//
// A Board is asked before every API call and every card command, and answers
// from what was switched on with specifications:
//
//	api:5%                background: 429, 403 rateLimitExceeded, 503, a
//	                      connection reset before the commit, an answer lost after
//	api:503@3             the third API call from now (429, 403, 500, 503, reset, lost)
//	api:lost@METHOD:2     the second call of that method from now
//	card:reset:2%         background: the card loses contact for a moment
//	card:reset@17         at the 17th command from now
//	card:pull@17          the card is pulled before the 17th command from now
//	card:pull-after@17    pulled after it was executed, its answer lost
//	card:full             no room for further objects
//	pin:blocked           somebody used up the PIN's tries
//	cse-off               client-side encryption is off for everyone
//	cse-off:EMAIL         for one user
//	scope-missing         the service account was not given the API's scopes
//	latency:50ms          every API call takes that much longer
//	off                   none of the above any more
//
// Chances are drawn from a seeded generator: the same seed and the same order
// of calls give the same faults. Percentages and latency replace the earlier
// one of their kind; everything else adds up. A fault at a number happens once.
package fault
