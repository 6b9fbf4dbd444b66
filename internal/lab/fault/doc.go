// Package fault decides when the practice lab misbehaves.
//
// A Board is asked before every API call and every card command, and answers
// from what was switched on with specifications such as "api:5%" or
// "card:pull@17"; Forms lists them all.
//
// Chances are drawn from a seeded generator: the same seed and the same order
// of calls give the same faults. Percentages and latency replace the earlier
// one of their kind; everything else adds up. A fault at a number happens once.
package fault
