// Package certpath builds certification paths and validates them (RFC 5280 section 6,
// RFC 4158): which certificates lead from a leaf to a self-signed root, and what is
// wrong where none do.
package certpath
