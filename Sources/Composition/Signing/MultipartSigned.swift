import MailEnvelope
public import Octets

/// Makes a whole message of a detached S/MIME signature (RFC 1847 §2.1, RFC 8551 §3.5.3).
public enum MultipartSigned {
    /// - Parameters:
    ///   - outerHeader: The fields that stay outside, see ``SignableEntity/outerHeader``.
    ///   - entity: The signed entity, exactly.
    ///   - cms: The detached SignedData, DER or BER.
    ///   - micalg: The digest algorithms, such as `sha-256`, commas between several.
    ///   - boundary: A token that stands in no other message: letters, digits and hyphens, at most 60.
    /// - Returns: The message, CRLF line ends.
    public static func assemble(
        outerHeader: OctetRope, entity: OctetRope, cms: OctetString, micalg: String, boundary: String
    ) -> OctetRope {
        var rope = OctetRope()
        rope.append(outerHeader)
        rope.append(
            FieldLines.field("MIME-Version", ["1.0"])
                + FieldLines.field(
                    "Content-Type",
                    [
                        "multipart/signed;", "protocol=\"application/pkcs7-signature\";",
                        "micalg=\"\(UntrustedText.quotedText(micalg, limit: 200))\";", "boundary=\"\(boundary)\"",
                    ])
                + "\r\nThis is an S/MIME signed message.\r\n\r\n--\(boundary)\r\n")
        rope.append(entity)
        rope.append(
            "\r\n--\(boundary)\r\n"
                + "Content-Type: application/pkcs7-signature; name=\"smime.p7s\"\r\n"
                + "Content-Transfer-Encoding: base64\r\n"
                + "Content-Disposition: attachment; filename=\"smime.p7s\"\r\n"
                + "Content-Description: S/MIME Cryptographic Signature\r\n\r\n")
        rope.append(Base64Encoded(cms))
        rope.append("\r\n\r\n--\(boundary)--\r\n")
        return rope
    }
}
