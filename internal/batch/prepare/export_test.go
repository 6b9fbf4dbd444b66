package prepare

// Pack is [pack], whose time is no part of reading, building and judging.
var Pack = pack
