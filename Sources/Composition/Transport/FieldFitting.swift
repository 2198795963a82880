import InternetMessage
import Octets

/// Makes one header field of a body part, or of a message that is a part, fit for transport. Its meaning stays.
struct FieldFitting {
    /// The path of the entity, for an error.
    let path: Entity.Path

    /// The field with its final CRLF: as it stands where it is fit.
    func fit(_ field: HeaderField) throws(CompositionError) -> OctetString {
        let faults = TransportFaults.of(field.raw)
        if faults.isEmpty { return field.completed }
        if faults.isSubset(of: [.trailingBlank, .fromLine]) { return withoutTrailingBlanks(field) }
        let text: String
        switch field.name.asciiLowercased {
        case "content-type", "content-disposition": text = try withParameters(field)
        case "from", "sender", "reply-to", "to", "cc", "bcc", "resent-from", "resent-sender", "resent-to", "resent-cc",
            "resent-bcc", "resent-reply-to":
            text = try withAddresses(field)
        default: text = FieldLines.field(field.name, words(of: field.unfoldedBody))
        }
        let fit = OctetString(text)
        let rest = TransportFaults.of(fit)
        guard rest.isEmpty else { throw refusal(field, rest) }
        return fit
    }

    private func refusal(_ field: HeaderField, _ faults: TransportFaults) -> CompositionError {
        CompositionError(
            .cannotBeMadeFit(path: path),
            "\(path.words) has a header field \(UntrustedText.plainTextLine(field.name, limit: 60)) with \(faults.words), which cannot be written in another way"
        )
    }

    /// Blanks at the end of a line mean nothing; a folded line of blanks alone would end the header once they are gone.
    private func withoutTrailingBlanks(_ field: HeaderField) -> OctetString {
        var output = [UInt8](field.name.utf8) + [0x3A]
        for (index, line) in field.rawBody.split(separator: 0x0A, omittingEmptySubsequences: false).enumerated() {
            var line = line
            while let last = line.last, last == 0x20 || last == 0x09 || last == 0x0D { line = line.dropLast() }
            if index == 0 {
                output += line
            } else if !line.isEmpty {
                output += [0x0D, 0x0A] + line
            }
        }
        return OctetString(output + [0x0D, 0x0A])
    }

    private func withParameters(_ field: HeaderField) throws(CompositionError) -> String {
        let body = Self.text(of: field.unfoldedBody)
        if field.isNamed("Content-Disposition") {
            let disposition = ContentDisposition(parsing: body)
            return ParameterLines.field(field.name, disposition.type, disposition.parameters)
        }
        guard let contentType = ContentType(parsing: body) else { throw refusal(field, TransportFaults.of(field.raw)) }
        return ParameterLines.field(field.name, contentType.mediaType, contentType.parameters)
    }

    private func withAddresses(_ field: HeaderField) throws(CompositionError) -> String {
        let list = AddressList(parsing: Self.text(of: field.unfoldedBody))
        guard list.reading != .doubtful,
            list.mailboxes.allSatisfy({ $0.address.description.utf8.allSatisfy { $0 < 0x80 } })
        else { throw refusal(field, TransportFaults.of(field.raw)) }
        return FieldLines.field(field.name, AddressWords.list(list.mailboxes))
    }

    /// The words of an unstructured body, runs of 8-bit ones as encoded-words.
    private func words(of body: OctetString) -> [String] {
        let charset = Self.charset(of: body)
        let octets = body.map { $0 < 0x20 || $0 == 0x7F ? 0x20 : $0 }
        var words: [String] = []
        var run: [UInt8] = []
        func endRun() {
            if !run.isEmpty { words += EncodedWord.encoded(run, charset: charset) }
            run = []
        }
        for word in octets.split(separator: 0x20) {
            if word.contains(where: { $0 >= 0x80 }) {
                // The blank between two encoded-words is no text, so that it stands in the second.
                run += (run.isEmpty ? [] : [0x20]) + word
            } else {
                endRun()
                words.append(String(decoding: word, as: UTF8.self))
            }
        }
        endRun()
        return words
    }

    /// Returns the charset for 8-bit octets without a name: UTF-8 if they are valid, otherwise the western charset of
    /// mailers that do not name one.
    static func charset(of octets: OctetString) -> String { octets.isUTF8 ? "utf-8" : "windows-1252" }

    private static func text(of octets: OctetString) -> String {
        BuiltInCharsets().decode(octets.array, charset: charset(of: octets)) ?? octets.text
    }
}

extension HeaderField {
    /// The field with its final line end, which the last line of a file may lack.
    var completed: OctetString { raw.last == 0x0A ? raw : OctetString(raw.array + [0x0D, 0x0A]) }
}

extension Entity.Path {
    /// The place of the entity, for people.
    var words: String { isEmpty ? "the message" : "part " + map { String($0 + 1) }.joined(separator: ".") }
}
