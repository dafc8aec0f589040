// Package archtest guards the plan of the house: which room may import which, how large a file may grow, what stands at the top
// of the repository. It holds tests and nothing else; what a single line of code should look like is the linter's business
// (.golangci.yml), and what the rooms are for is told in package sensor.
//
// A test that fails here names the package, the import and the reason. If the reason no longer holds, change the rule in
// rules_test.go in a commit of its own.
package archtest
