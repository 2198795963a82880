public import MailEnvelope
import Octets

extension Parameter {
    /// The value as text.
    ///
    /// Returns an extended value decoded by its charset (RFC 2231). Any other is US-ASCII by RFC 2045 §5.1. In practice
    /// there are also encoded-words, which RFC 2047 §5 forbids here, UTF-8 (RFC 6532), and octets of a western charset.
    /// They are tried in this order.
    public func decoded(using charsets: some CharsetDecoding) -> String {
        if let charset { return charsets.decode(value, charset: charset) ?? text }
        return value.contains(0x3D) ? EncodedWords.decode(value, using: charsets) : charsets.decodeUnlabelled(value)
    }
}

extension Entity {
    /// The file name that the entity gives itself: `filename` of Content-Disposition, else `name` of Content-Type
    /// (RFC 2183 §2.3). Untrusted text, never a path; nil when there is none or it is empty.
    public func fileName(using charsets: some CharsetDecoding) -> String? {
        for parameter in [disposition?.parameter("filename"), contentType.parameter("name")] {
            if let name = parameter?.decoded(using: charsets), !name.isEmpty { return name }
        }
        return nil
    }

    /// Returns every name that some reader may show for the entity, each once, that of ``fileName(using:)`` first.
    /// Readers differ in whether Content-Disposition or Content-Type counts, which of their parameters is the name, and
    /// whether the extended form of a parameter counts or the plain one.
    public func everyFileName(using charsets: some CharsetDecoding) -> [String] {
        var names = [fileName(using: charsets)].compactMap(\.self)
        for fieldName in ["content-disposition", "content-type"] {
            for field in header.fields where field.name.equalsIgnoringASCIICase(fieldName) {
                // Of several parameters of one name some readers take the last.
                let last = ParameterizedField(field.unfoldedBody, ReadingHabits.lastParameter)
                let parsed = ParameterizedField(field.unfoldedBody)
                for parameter in parsed.parameters + parsed.shadowed + last.parameters + last.shadowed
                where ["filename", "name"].contains(parameter.name) {
                    let name = parameter.decoded(using: charsets)
                    if !name.isEmpty, !names.contains(name) { names.append(name) }
                }
            }
        }
        return names
    }
}
