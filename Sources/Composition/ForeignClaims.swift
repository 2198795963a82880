import InternetMessage
import Octets

extension HeaderField {
    /// Whether the field has a name that only SES may write, or one that a hasty reader takes for it.
    ///
    /// The blanks that obsolete syntax allows before the colon are not part of the name; an underscore is read as a hyphen
    /// by programs that make variables of field names.
    var claimsToBeOurs: Bool {
        let name = name.asciiLowercased.replacing("_", with: "-")
        return name.hasPrefix("x-ses-") || name == "x-ses"
    }

    /// Whether it is an Authentication-Results field that speaks for `authservID` (RFC 8601 §5).
    ///
    /// Comments, quotes, case and a version make no difference. Where the field cannot be taken apart, naming us is enough.
    func isAuthenticationResults(of authservID: String) -> Bool {
        guard isNamed("Authentication-Results") || name.equalsIgnoringASCIICase("Authentication_Results") else {
            return false
        }
        let wanted = authservID.asciiLowercased
        let (identifier, isWhole) = Self.authservID(in: unfoldedBody.text)
        guard isWhole else { return unfoldedBody.text.asciiLowercased.contains(wanted) }
        let joined = identifier.joined()
        return identifier.first == wanted || joined == wanted
            || (joined.hasPrefix(wanted)
                && joined.dropFirst(wanted.count).allSatisfy { $0 == "/" || $0 == "." || $0.isNumber })
    }

    /// The words before the first semicolon, lower case, without comments and quotes.
    private static func authservID(in body: String) -> (words: [String], isWhole: Bool) {
        var words: [String] = []
        var word = ""
        var depth = 0
        var isQuoted = false
        var isEscaped = false
        func end(_ word: inout String) {
            if !word.isEmpty { words.append(word.asciiLowercased) }
            word = ""
        }
        for scalar in body.unicodeScalars {
            if isEscaped {
                isEscaped = false
                if depth == 0 { word.unicodeScalars.append(scalar) }
            } else if scalar == "\\" && (isQuoted || depth > 0) {
                isEscaped = true
            } else if isQuoted {
                if scalar == "\"" { isQuoted = false } else { word.unicodeScalars.append(scalar) }
            } else if scalar == "(" {
                depth += 1
            } else if scalar == ")" && depth > 0 {
                depth -= 1
            } else if depth > 0 {
                continue
            } else if scalar == "\"" {
                isQuoted = true
            } else if scalar == ";" {
                end(&word)
                return (words, true)
            } else if scalar.value <= 0x20 {
                end(&word)
            } else {
                word.unicodeScalars.append(scalar)
            }
        }
        end(&word)
        return (words, depth == 0 && !isQuoted)
    }
}
