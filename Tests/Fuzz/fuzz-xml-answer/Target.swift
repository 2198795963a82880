import DSSProtocol
import DSSXML
import Fuzzing
import Octets

/// Reads the input as the body of a server's answer, as the client does.
@main
enum AnswerTarget {
    private static let questions: [DSSQuestion] =
        DocumentKind.allCases.map { .signing($0, requestID: "SES-1") } + [.verification(requestID: "SES-1")]

    static func main() {
        Fuzzing.run { octets in
            let fields = [("Content-Type", contentType(of: octets))]
            for question in questions {
                let whole = outcome(octets, question, fields, size: max(octets.count, 1))
                let pieces = outcome(octets, question, fields, size: 7)
                Fuzzing.require(whole == pieces, "pieces of 7 octets change the outcome: \(whole), \(pieces)")
            }
        }
    }

    /// A body that begins with a delimiter is a multipart of that boundary.
    private static func contentType(of octets: OctetString) -> String {
        guard octets.starts(with: "--".utf8) else { return "text/xml; charset=utf-8" }
        let boundary = octets.dropFirst(2).prefix(70).prefix { $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "\"") }
        return "multipart/related; boundary=\"\(String(decoding: boundary, as: UTF8.self))\"; start=\"<r>\""
    }

    private static func outcome(
        _ octets: OctetString, _ question: DSSQuestion, _ fields: [(name: String, value: String)], size: Int
    ) -> String {
        let decoder = AnswerDecoder(question, dialect: .adss, answers: MemoryCollecting(limit: 1 << 20))
        decoder.begin(status: 200, fields: fields)
        octets.withUnsafeBytes { body in
            var start = 0
            while start < body.count {
                let end = min(start + size, body.count)
                guard decoder.decode(UnsafeRawBufferPointer(rebasing: body[start..<end])) else { return }
                start = end
            }
        }
        return words(of: decoder.finish())
    }

    /// The part of an answer that was kept beside the outcome depends on the pieces.
    private static func words(of outcome: DSSOutcome) -> String {
        switch outcome {
        case .signed(.cms(let octets)): "CMS \(octets.hashValue)"
        case .signed(.document(let octets)): "document \(octets.hashValue)"
        case .verified(let answer): "\(answer)"
        case .refused(let refusal): "refused \(refusal.source) \(refusal.errorCode ?? 0) \(refusal.message)"
        case .unreachable(let reason): "unreachable \(reason.kind) \(reason.message)"
        }
    }
}
