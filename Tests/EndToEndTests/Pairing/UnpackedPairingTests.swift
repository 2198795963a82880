import Foundation
import TestSupport
import Testing

extension EndToEnd {
    @Suite("Paired with Exim and OpenSMTPD", .enabled(if: EndToEnd.isSecondLevel, "runs with --all"))
    struct PairedWithOthers {
        @Test(
            "a submitted mail goes out signed, the signed answer comes in verified, and nothing loops",
            arguments: [
                (MailHouse.Kind.exim([]), 1), (.exim(["--pipe"]), 1), (.exim(["--maildir"]), 1), (.openSMTPD, 3),
            ])
        func roundTrip(_ kind: MailHouse.Kind, entries: Int) async throws {
            let house = try await MailHouse(kind)
            let id = MailHouse.identifier()
            let open = [MailSamples.bob, PartnerAuthority.carol]
            let blind = "frank@third.test"
            try await house.client(of: MailSamples.alice).deliver(
                MailSamples.plain(to: open.joined(separator: ", "), fields: ["Bcc: \(blind)"], id: id),
                from: MailSamples.alice, to: open + [blind])
            for user in open + [blind] {
                let copies = try await house.messages(id, of: user)
                #expect(copies.count == 1, "\(user)")
                let copy = try #require(copies.first)
                #expect(try await OpenSSL.verify(copy, anchor: house.anchor).status == 0, "\(user)")
                if user != blind { #expect(copy.firstRange(of: Array("frank".utf8)) == nil, "\(user)") }
            }
            // Exim hands over all recipients at once; OpenSMTPD one by one, and each is signed by itself.
            let told = try house.journal(ofMessage: id + "@example.test")
            #expect(Set(told.compactMap { $0["e"] }).count == entries, "\(told)")

            let answer = try await house.authority.signed(to: MailSamples.alice, subject: "Re: \(id)", text: "Agreed.")
            try await house.outside.deliver(answer, from: PartnerAuthority.carol, to: [MailSamples.alice])
            let back = try await house.message(subject: "Re: \(id)", of: MailSamples.alice)
            let results = try await PythonReading.of(back).values("Authentication-Results")
            #expect(results.contains { $0.contains("smime=pass") && $0.contains(PartnerAuthority.carol) }, "\(results)")

            let notice = MailHouse.identifier()
            try await house.client(of: MailSamples.alice).deliver(
                MailSamples.plain(to: PartnerAuthority.carol, id: notice), from: "<>", to: [PartnerAuthority.carol])
            let bare = try #require(try await house.messages(notice, of: PartnerAuthority.carol).first)
            #expect(try await PythonReading.of(bare).parts.map(\.type) == ["text/plain"])

            try await house.expectShellWordsArrive()

            let unknown = try await house.door.send(
                MailSamples.plain(), from: PartnerAuthority.carol, to: ["nobody-there@example.test"])
            #expect(unknown.status != 0, "\(unknown)")
            try await house.settled()
            try await house.stop()
        }

        @Test("Exim's users cannot send as others")
        func forgedSender() async throws {
            let house = try await MailHouse(.exim([]))
            let forged = try await house.client(of: MailSamples.alice).send(
                MailSamples.plain(from: MailSamples.bob), from: MailSamples.bob, to: [PartnerAuthority.carol])
            #expect(forged.status != 0 && forged.output.contains("550 the sender address is not yours"), "\(forged)")
            try await house.stop()
        }
    }
}
