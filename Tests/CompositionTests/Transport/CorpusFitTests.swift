import Composition
import Foundation
import InternetMessage
import Octets
import TestSupport
import Testing

@Suite("Making real mail fit for signing", .enabled(if: TestMaterial.shared != nil, "needs ../shared"))
struct CorpusFitTests {
    struct Prepared {
        let name: String
        let message: Message
        let entity: OctetString
        let whole: OctetString
    }

    static func files() throws -> [String] {
        guard let shared = TestMaterial.shared else { return [] }
        let folders = ["mime", "smime-identity", "smime-good"]
        return try folders.flatMap { folder in
            try FileManager.default.subpathsOfDirectory(atPath: shared + "/corpora/" + folder)
                .filter { $0.hasSuffix(".eml") }.sorted().map { shared + "/corpora/" + folder + "/" + $0 }
        }
    }

    static func prepare() throws -> (fit: [Prepared], refused: [String: CompositionError]) {
        var fit: [Prepared] = []
        var refused: [String: CompositionError] = [:]
        for file in try files() {
            let message: Message
            do {
                message = try Message(reading: OctetString(try TestMaterial.octets(file)).withCRLFLineEnds())
            } catch is MessageSyntaxError {
                continue
            }
            do {
                let signable = try SignableEntity(of: message)
                var whole = signable.outerHeader
                whole.append("MIME-Version: 1.0\r\n")
                whole.append(signable.entity)
                fit.append(
                    Prepared(
                        name: file, message: message, entity: signable.entity.collected(), whole: whole.collected()))
            } catch {
                refused[file] = error
            }
        }
        return (fit, refused)
    }

    @Test("every mail becomes fit or is refused with a reason")
    func everyMail() throws {
        let (fit, refused) = try Self.prepare()
        #expect(fit.count > 70)
        #expect(refused.count * 10 < fit.count)
        for mail in fit {
            let lines = mail.entity.split(separator: 0x0A, omittingEmptySubsequences: false)
            for (index, line) in lines.enumerated() {
                let isLast = index == lines.count - 1
                #expect(isLast || line.last == 0x0D, "a bare LF in \(mail.name)")
                let content = isLast ? line : line.dropLast()
                #expect(content.count <= 998, "a long line in \(mail.name)")
                #expect(
                    content.allSatisfy { $0 < 0x80 && $0 != 0 && $0 != 0x0D }, "8-bit, NUL or bare CR in \(mail.name)")
                #expect(content.last != 0x20 && content.last != 0x09, "a trailing blank in \(mail.name): \(index)")
                #expect(!content.starts(with: "From ".utf8), "a From line in \(mail.name)")
            }
        }
        for (name, error) in refused {
            #expect(!error.text.isEmpty)
            if case .cannotBeMadeFit = error.kind { continue }
            Issue.record("\(name) was refused for another reason: \(error)")
        }
    }

    @Test("fit mail is recognised at once: a second pass changes nothing")
    func idempotent() throws {
        for mail in try Self.prepare().fit {
            let again = try SignableEntity(of: Message(reading: mail.whole))
            #expect(again.entity.collected() == mail.entity, "\(mail.name)")
            #expect(again.outerHeader.collected() == mail.whole.slice(0..<again.outerHeader.count), "\(mail.name)")
        }
    }

    @Test("Python reads the same leaves, names and contents before and after")
    func sameMail() async throws {
        let differences = try await PythonMailComparison.differences(
            try Self.prepare().fit.map {
                .init(name: $0.name, before: $0.message.octets.array, after: $0.whole.array)
            })
        #expect(differences.isEmpty, "\(differences.joined(separator: "\n"))")
    }

    @Test("a mail that is already fit is passed on byte for byte")
    func untouched() throws {
        var count = 0
        for mail in try Self.prepare().fit
        where mail.entity.suffix(mail.message.root.body.count).elementsEqual(mail.message.root.body) {
            count += 1
        }
        #expect(count > 20)
    }
}
