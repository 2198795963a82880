import InternetMessage
import Octets

/// Writes a value with parameters: Content-Type, Content-Disposition (RFC 2045 §5.1, RFC 2231).
enum ParameterLines {
    /// Returns a field with one parameter on each line, 7-bit. No line is above 78 octets except for the word of a long
    /// value.
    static func field(_ name: String, _ value: String, _ parameters: [Parameter]) -> String {
        let pieces = parameters.flatMap(pieces)
        let words = [value] + pieces
        return FieldLines.field(name, words.enumerated().map { $1 + ($0 == words.count - 1 ? "" : ";") })
    }

    /// The parameter as `name=value`, or in extended sections where the value needs it.
    private static func pieces(_ parameter: Parameter) -> [String] {
        let name = parameter.name.utf8.allSatisfy(\.isTokenOctet) ? parameter.name : "x-unreadable"
        let isPlain = parameter.value.allSatisfy { $0 >= 0x20 && $0 < 0x7F }
        if isPlain, parameter.charset == nil, parameter.value.count <= 500 {
            return [name + "=" + quoted(parameter.value)]
        }
        let charset = parameter.charset ?? (OctetString(parameter.value).isUTF8 ? "utf-8" : "windows-1252")
        let octets = parameter.value.map { percentEncoded($0) }
        var sections: [String] = []
        var present = charset.utf8.allSatisfy(\.isTokenOctet) ? charset + "''" : "''"
        for octet in octets {
            if present.utf8.count + octet.utf8.count > 50 {
                sections.append(present)
                present = ""
            }
            present += octet
        }
        if sections.isEmpty { return [name + "*=" + present] }
        return (sections + [present]).enumerated().map { "\(name)*\($0)*=\($1)" }
    }

    private static func quoted(_ value: [UInt8]) -> String {
        if !value.isEmpty, value.allSatisfy(\.isTokenOctet) { return String(decoding: value, as: UTF8.self) }
        var text = "\""
        for octet in value {
            if octet == 0x22 || octet == 0x5C { text += "\\" }
            text.unicodeScalars.append(Unicode.Scalar(octet))
        }
        return text + "\""
    }

    /// attribute-char of RFC 2231 §7 stands for itself.
    private static func percentEncoded(_ octet: UInt8) -> String {
        switch octet {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F: String(Unicode.Scalar(octet))
        default: "%" + [octet].hexadecimal.uppercased()
        }
    }
}

extension UInt8 {
    /// RFC 2045 §5.1: printable US-ASCII except tspecials, and except the characters that RFC 2231 gives a meaning in
    /// values and names.
    fileprivate var isTokenOctet: Bool {
        switch self {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
        case 0x21, 0x23, 0x24, 0x26, 0x2B, 0x2D, 0x2E, 0x5E, 0x5F, 0x60, 0x7B, 0x7C, 0x7D, 0x7E: true
        default: false
        }
    }
}
