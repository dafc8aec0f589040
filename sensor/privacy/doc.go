// Package privacy decides what of a person a record may keep: a keyed pseudonym always, the name only if the organisation says so, and
// nothing at all of those who are excluded. It does not find out who a user is (see identity), and keeps no way from a pseudonym back to
// a name.
//
// It stands behind policy, which needs to know whom it judges, and before everything that stores or sends: what Apply takes away has
// never been written.
package privacy
