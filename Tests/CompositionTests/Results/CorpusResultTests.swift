import Composition
import Foundation
import InternetMessage
import Octets
import TestSupport
import Testing

@Suite("The result on real, odd and malformed mail", .enabled(if: TestMaterial.shared != nil, "needs ../shared"))
struct CorpusResultTests {
    struct Shown {
        let name: String
        let rule: ResultComposition.Rule
        /// The message as received, without the fields that intake removed.
        let original: OctetString
        let before: Message
        let after: Message
    }

    private static let reference = "Reference: 5e5c0ffee0ddba11"

    /// The mails of the corpus, those in mailboxes one by one.
    private static func mails() throws -> [(name: String, octets: [UInt8])] {
        guard let shared = TestMaterial.shared else { return [] }
        let folder = shared + "/corpora/mime/"
        return try TestMaterial.table(folder + "expected.tsv").compactMap { $0["file"] }.sorted().flatMap { file in
            let octets = try TestMaterial.octets(folder + file)
            guard file.hasSuffix(".mbox.txt") else { return [(file, octets)] }
            let text = String(decoding: MailSamples.withLineFeeds(octets), as: UTF8.self)
            return text.split(separator: /(?:^|\n)From [^\n]*\n/).enumerated().map {
                ("\(file) \($0.offset)", Array(($0.element + "\n").utf8))
            }
        }
    }

    /// Every mail under every rule.
    private static func shown() throws -> [Shown] {
        var all: [Shown] = []
        for (file, octets) in try mails() {
            let raw = OctetString(octets)
            let intake: Intake
            let message: Message
            do {
                intake = try Given.intake(raw)
                message = try intake.message.read()
            } catch {
                continue
            }
            for rule in [ResultComposition.Rule.top, .bottom, .originalAsAttachment, .original] {
                let whole = ResultComposition(
                    rule: rule, result: BannerTests.result("Jörg", at: BannerTests.Place.allCases),
                    answers: [ServerAnswer(OctetString("<a/>"), entry: "5e5c0ffee0ddba11")], addedFields: [],
                    token: BannerTests.token
                ).compose(intake.message, read: message).collected()
                all.append(
                    Shown(
                        name: file, rule: rule, original: intake.message.rawRope.collected(), before: message,
                        after: try Message(reading: whole)))
            }
        }
        return all
    }

    @Test(
        "every part that is not text of the mail keeps its octets, and the original keeps its own",
        .timeLimit(.minutes(5)))
    func octets() async throws {
        let all = try Self.shown()
        #expect(all.count > 500)
        for shown in all {
            switch shown.rule {
            case .original: #expect(shown.after.octets == shown.original, "\(shown.name)")
            case .originalAsAttachment: #expect(Self.holdsOriginal(shown), "\(shown.name)")
            case .top, .bottom:
                if shown.after.root.children.last.map({ Self.isOriginal($0) }) == true, Self.holdsOriginal(shown) {
                    continue
                }
                let after = Set(shown.after.root.walk().filter(\.isLeaf).map(\.decodedBody))
                for leaf in shown.before.root.walk() where leaf.isLeaf && leaf.contentType.type != "text" {
                    #expect(after.contains(leaf.decodedBody), "\(shown.name) \(leaf.path)")
                }
            }
        }
    }

    private static func isOriginal(_ part: Entity) -> Bool {
        part.fileName(using: BuiltInCharsets()) == "original.eml"
    }

    private static func holdsOriginal(_ shown: Shown) -> Bool {
        guard let last = shown.after.root.children.last, isOriginal(last) else { return false }
        return last.decodedBody == shown.before.octets || last.decodedBody.withCRLFLineEnds() == shown.before.octets
    }

    @Test("Python reads each, finds the result once in every form, and finds no new defect", .timeLimit(.minutes(10)))
    func read() async throws {
        let all = try Self.shown().filter { $0.rule != .original }
        let readings = try await BannerReading.of(all.map(\.after.octets.array), reference: Self.reference)
        try #require(readings.count == all.count)
        for (shown, reading) in zip(all, readings) {
            let holding = reading.pages.filter { $0.total > 0 }
            let name = "\(shown.name) \(shown.rule)"
            #expect(
                holding.allSatisfy { $0.total == 1 && $0.banners == 1 && $0.suspects.isEmpty }, "\(name): \(holding)")
            #expect(holding.allSatisfy { shown.rule == .bottom ? $0.isLast : $0.isFirst }, "\(name)")
            let texts = reading.texts.filter { $0.contains("5e5c0ffee0ddba11") && $0.contains("Reference:") }
            #expect(holding.count + texts.count > 0, "\(name)")
            #expect(texts.allSatisfy { $0.ranges(of: "*** Signature check: not trusted").count == 1 }, "\(name)")
            #expect(reading.parts.contains { $0.last == "verification-response-5e5c0ffee0ddba11.xml" }, "\(name)")
        }
    }
}

extension Entity {
    fileprivate var isLeaf: Bool { if case .leaf = content { true } else { false } }
}
