import Foundation
import InternetMessage
import Octets
import TestSupport
import Testing

/// Mails whose structure is odd, read by programs of others: what is trusted here shows nothing unsigned there.
@Suite("Foreign readers of mail")
struct ForeignReaderTests {
    private static let isSecondLevel = ProcessInfo.processInfo.environment["SES_TEST_ALL"] == "1"
    private static let count = isSecondLevel ? 6_000 : 500
    /// Another one for other mails.
    private static let seed = UInt64(ProcessInfo.processInfo.environment["SES_TEST_SEED"] ?? "") ?? 20_261_130

    private struct Sample: Sendable {
        let mail: OddMail
        let isTrusted: Bool
    }

    private static let samples: [Sample] = (0..<count).map { index in
        let mail = OddMail(seed: seed &+ UInt64(index), isSigned: index % 4 != 3)
        return Sample(mail: mail, isTrusted: isTrusted(mail))
    }

    /// Returns true if the structure alone leaves no doubt about the signed text, or the signed attachment.
    private static func isTrusted(_ mail: OddMail) -> Bool {
        guard let message = try? Message(reading: OctetString(mail.octets).withCRLFLineEnds()) else { return false }
        if mail.isSigned {
            guard case .multipartSigned(let signed) = SMIMEForm.of(message.root) else { return false }
            return signed.content.octets.elementsEqual(mail.content.utf8)
                && signed.signature.octets.elementsEqual(mail.second.utf8) && signed.ambiguities.isEmpty
        }
        guard let file = message.root.entity(at: [1]) else { return false }
        return file.octets.elementsEqual(mail.second.utf8) && message.differingReadings.isEmpty
            && message.structuralDoubts(at: file.path).isEmpty
    }

    @Test(
        "no reader shows unsigned text, or another file under the name of a signed one, in a mail that is trusted",
        .timeLimit(.minutes(30)), arguments: ForeignReader.allCases)
    func agreement(_ reader: ForeignReader) async throws {
        let samples = Self.samples
        var deceived = 0
        var showsSigned = 0
        for (sample, parts) in zip(samples, try await reader.parts(of: samples.map(\.mail.octets))) {
            let texts = parts.map { String(decoding: $0.octets, as: UTF8.self) }
            let isDeceived =
                texts.contains { $0.contains(OddMail.mark) }
                || zip(parts, texts).contains { $0.name == "contract.pdf" && !$1.hasPrefix("%PDF-1.7\nsigned") }
            if isDeceived { deceived += 1 }
            if sample.isTrusted, texts.contains(where: { $0.contains("Pay 100 euro.") }) { showsSigned += 1 }
            #expect(
                !(isDeceived && sample.isTrusted),
                "\(reader.rawValue) shows what is not signed in a trusted mail: \(sample.mail.account), seed \(sample.mail.seed)"
            )
        }
        // It would be no test if the mails deceived nobody, or if the reader showed nothing.
        #expect(
            deceived * 20 > samples.count, "\(reader.rawValue) is deceived by \(deceived) of \(samples.count) mails")
        let trusted = samples.count { $0.isTrusted }
        #expect(trusted * 50 > samples.count, "only \(trusted) of \(samples.count) mails are trusted")
        #expect(
            showsSigned * 10 >= trusted * 8, "\(reader.rawValue) shows the signed text in \(showsSigned) of \(trusted)")
    }
}
