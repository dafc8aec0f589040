package standin

import (
	"crypto/ecdh"
	"crypto/rand"
	"crypto/tls"
	"encoding/binary"
	"fmt"
)

// Code points of an ECHConfig (RFC 9849, section 4) and of HPKE (RFC 9180, section 7).
const (
	echVersion    = 0xfe0d
	kemX25519     = 0x0020
	kdfHKDFSHA256 = 0x0001
	aeadAES128GCM = 0x0001
	maxNameLength = 64
)

// NewECHKey makes a key for encrypted hellos whose outer name is publicName, and the configuration list that offers it.
func NewECHKey(publicName string) (tls.EncryptedClientHelloKey, []byte, error) {
	private, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		return tls.EncryptedClientHelloKey{}, nil, fmt.Errorf("making a key for encrypted hellos: %w", err)
	}
	public := private.PublicKey().Bytes()
	be := binary.BigEndian
	body := []byte{1} // config_id
	body = be.AppendUint16(body, kemX25519)
	body = be.AppendUint16(body, uint16(len(public)))
	body = append(body, public...)
	body = be.AppendUint16(body, 4) // one cipher suite
	body = be.AppendUint16(body, kdfHKDFSHA256)
	body = be.AppendUint16(body, aeadAES128GCM)
	body = append(body, maxNameLength, byte(len(publicName)))
	body = append(body, publicName...)
	body = be.AppendUint16(body, 0) // no extensions
	config := be.AppendUint16(nil, echVersion)
	config = be.AppendUint16(config, uint16(len(body)))
	config = append(config, body...)
	list := append(be.AppendUint16(nil, uint16(len(config))), config...)
	return tls.EncryptedClientHelloKey{Config: config, PrivateKey: private.Bytes()}, list, nil
}
