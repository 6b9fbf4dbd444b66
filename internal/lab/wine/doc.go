// Package wine holds tests of the Windows program, which runs under Wine against a practice
// lab in the test's own process: virtual cards through a winscard.dll of our own (built from
// ../winscard by mingw), Gmail and the CA over loopback.
//
// Where Wine or mingw is missing the tests are skipped, or fail where the environment says
// CI=true. What Wine cannot show, such as symbolic links, is said to be not tested.
package wine
