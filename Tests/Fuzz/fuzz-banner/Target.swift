import Composition
import Fuzzing
import InternetMessage
import Octets

/// Takes the input in as a mail and shows a result with it by every rule.
@main
enum BannerTarget {
    private static let entry = "5e5c0ffee0ddba11"
    private static let token = "0123456789abcdef"

    static func main() {
        Fuzzing.run { octets in
            // A mail that knows the entry's identifier could show it as often as it likes.
            guard octets.places(of: entry).isEmpty, octets.places(of: token).isEmpty else { return }
            do {
                let intake = try Intake(
                    raw: octets, canonical: octets.withCRLFLineEnds(), block: nil, isBare: true, removesBcc: false,
                    authservID: "ses.example.test")
                let message = try intake.message.read()
                for rule in [ResultComposition.Rule.top, .bottom, .originalAsAttachment] {
                    check(rule, intake.message, message, hasAnswer: octets.count % 2 == 1)
                }
            } catch {
                return
            }
        }
    }

    private static func check(
        _ rule: ResultComposition.Rule, _ original: CleanedMessage, _ message: Message, hasAnswer: Bool
    ) {
        let answers = hasAnswer ? [ServerAnswer(OctetString("<VerifyResponse/>"), entry: entry)] : []
        let result = result(for: message, hasAnswer ? answers[0].name : nil)
        let written = ResultComposition(
            rule: rule, result: result, answers: answers, addedFields: ["Received: by ses.example.test; now\r\n"],
            token: token
        ).compose(original, read: message).collected()
        let limits = Message.Limits(parts: 1_010, depth: 53, headerOctets: 1 << 20)
        do throws(MessageSyntaxError) {
            let read = try Message(reading: written, limits: limits)
            Fuzzing.require(
                read.header.fields.first?.isNamed("Received") == true, "\(rule): our field is not the first")
            for name in ["Content-Type", "MIME-Version", "Content-Transfer-Encoding"] {
                Fuzzing.require(read.header.all(name).count <= 1, "\(rule): \(name) stands more than once")
            }
            checkBanner(rule, message, read, result)
        } catch {
            Fuzzing.require(false, "\(rule): the mail with its result cannot be read: \(error)")
        }
    }

    /// The result stands once in each form of the text, and all else is as it was.
    private static func checkBanner(
        _ rule: ResultComposition.Rule, _ before: Message, _ after: Message, _ result: ResultText
    ) {
        let texts = after.root.walk().filter { if case .leaf = $0.content { true } else { false } }.map {
            (part: $0, count: $0.decodedBody.places(of: entry).count)
        }
        let shown = texts.filter { $0.count > 0 && $0.part.contentType.type == "text" }
        Fuzzing.require(!shown.isEmpty, "\(rule): the result is not shown")
        // In the name of the attached answer too.
        let expected = result.responseName == nil ? 1 : 2
        for text in shown { Fuzzing.require(text.count == expected, "\(rule): the result stands \(text.count) times") }
        for text in shown where text.part.contentType.subtype == "html" {
            let body = text.part.decodedBody
            let fragment = result.html
            guard let place = body.places(of: fragment).first else {
                Fuzzing.require(false, "\(rule): the result is not whole in HTML")
                continue
            }
            let rest = Array(body[..<place]) + body[(place + fragment.utf8.count)...]
            let isOwnPart = rest.elementsEqual("<!DOCTYPE html>\r\n<html><body></body></html>\r\n".utf8)
            let isOriginal = before.root.walk().contains { $0.decodedBody.elementsEqual(rest) }
            Fuzzing.require(isOwnPart || isOriginal, "\(rule): the HTML around the result is another one")
        }
        guard after.root.contentType.parameter("boundary")?.text != "ses-mixed-" + token else { return }
        let shapes = [before, after].map { $0.root.walk().map { "\($0.path) \($0.contentType.mediaType)" } }
        Fuzzing.require(shapes[0] == shapes[1], "\(rule): other parts than before: \(shapes)")
        let isShown = Set(shown.map(\.part.path))
        for (old, new) in zip(before.root.walk(), after.root.walk()) where !isShown.contains(old.path) {
            guard case .leaf = old.content else { continue }
            Fuzzing.require(old.body == new.body, "\(rule): the part \(old.path) was changed")
        }
    }

    /// A result with strangers' words from the mail itself.
    private static func result(for message: Message, _ responseName: String?) -> ResultText {
        var result = ResultText(.notTrusted, entry: entry)
        func text(_ field: String) -> String? {
            message.header.first(field).map { EncodedWords.decode($0.rawBody, using: BuiltInCharsets()) }
        }
        result.author = text("From")
        result.signers = [text("Subject") ?? "CN=Alice"]
        result.reasons = ["a reason"]
        result.foreignClaims =
            ForeignResults(in: [message], authservID: "ses.example.test", using: BuiltInCharsets()).words
        result.attachments = message.root.walk().prefix(10).map { part in
            var attachment = ResultText.Attachment(name: part.fileName(using: BuiltInCharsets()), .notTrusted)
            attachment.reasons = [part.contentType.mediaType]
            return attachment
        }
        result.responseName = responseName
        return result
    }
}

extension OctetString {
    /// Returns the places of `wanted`.
    fileprivate func places(of wanted: String) -> [Int] {
        let wanted = OctetString(wanted)
        return withUnsafeBytes { octets in
            wanted.withUnsafeBytes { wanted in
                var places: [Int] = []
                var start = 0
                while let place = octets.firstOffset(of: wanted, from: start) {
                    places.append(place)
                    start = place + 1
                }
                return places
            }
        }
    }
}
