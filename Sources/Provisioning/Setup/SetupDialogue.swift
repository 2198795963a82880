import Glibc
import HostProcess
import InternetMessage
import SESConfiguration

/// The questions of `ses setup`, at most five, and the reading of their answers.
struct SetupDialogue {
    let options: SetupOptions
    let facts: MachineFacts
    let say: (String) -> Void

    /// The columns of a question before its guess.
    private static let width = 48

    /// Asks for what the command line leaves open.
    /// - Throws: ``ProgramError`` with 64 for an option that cannot be read, or if nobody can be asked.
    func answers() throws(ProgramError) -> SetupAnswers {
        if !options.isUnattended, isatty(STDIN_FILENO) != 1 {
            throw ProgramError(
                .usage,
                "nobody can be asked here: say --yes to take the guesses, and give what is to differ from them, such as"
                    + " --domain example.org; ses setup --help has the options")
        }
        let domain = try ask(
            1, "Mail domain whose mail is signed", options.domain, facts.domain, "--domain", Self.domain)
        let administrator = try ask(
            2, "Address that receives notices", options.administrator, "postmaster@" + domain, "--administrator",
            Self.address)
        let server = try ask(
            3, "Signing server: embedded, or the address of ADSS", signingOption, "embedded", "--signing-server", server
        )
        let nextHop = try ask(
            4, "Next mail server for signed mail", options.nextHop, "127.0.0.1:\(RelayText.onwardPort)", "--next-hop",
            Self.nextHop)
        let directions: SetupAnswers.Directions =
            if let given = options.directions { given } else {
                try ask(5, "Also verify incoming mail?", nil, "yes", "--directions", Self.directions)
            }
        let isEmbedded = server == .embedded
        return SetupAnswers(
            domain: domain, administrator: administrator, server: server, nextHop: nextHop, directions: directions,
            profile: options.profile ?? (isEmbedded ? "adss:signing:profile:007" : ""),
            key: options.key ?? (isEmbedded ? "seal" : "NONE"),
            hostName: facts.hostName.contains(".") ? facts.hostName : "ses." + domain)
    }

    private var signingOption: String? {
        options.signingServer.map { $0 + (options.client.map { " " + $0 } ?? "") }
    }

    /// One question: the option's value, else what the person says, else the guess.
    private func ask<Value>(
        _ number: Int, _ question: String, _ given: String?, _ guess: String?, _ option: String,
        _ read: (String) throws(ProgramError) -> Value
    ) throws(ProgramError) -> Value {
        if let given {
            do throws(ProgramError) { return try read(given) } catch {
                throw ProgramError(.usage, "\(option) \(given): \(error.text)")
            }
        }
        if options.isUnattended {
            guard let guess else {
                throw ProgramError(.usage, "\(question): nothing on this machine tells; say it by \(option)")
            }
            return try read(guess)
        }
        while true {
            let shown = "\(number). \(question)".padding(Self.width) + (guess.map { " [\($0)]" } ?? "") + " "
            Console.prompt(shown)
            guard let line = readLine() else {
                throw ProgramError(.usage, "the input ended before all questions were answered; nothing was written")
            }
            let answer = line.split(whereSeparator: \.isWhitespace).joined(separator: " ")
            guard let text = answer.isEmpty ? guess : answer else { continue }
            do throws(ProgramError) { return try read(text) } catch { say("   " + error.text) }
        }
    }

    // MARK: - Reading answers

    private static func domain(_ text: String) throws(ProgramError) -> String {
        guard let address = AddrSpec(localPart: "postmaster", domain: text), text.contains("."), !text.contains("@"),
            address.withASCIIDomain != nil
        else {
            throw ProgramError(.usage, "this is no mail domain; write what stands behind the @ of your addresses")
        }
        return text.lowercased()
    }

    private static func address(_ text: String) throws(ProgramError) -> String {
        guard let address = AddrSpec(parsing: text), address.domain.contains(".") else {
            throw ProgramError(.usage, "this is no mail address; write one such as postmaster@example.org")
        }
        return "\(address)"
    }

    /// `embedded`, or `ADDRESS CLIENT`.
    private func server(_ text: String) throws(ProgramError) -> SetupAnswers.Server {
        let words = text.split(separator: " ").map(String.init)
        guard let first = words.first else { throw ProgramError(.usage, "say embedded, or an address") }
        if ["embedded", "1"].contains(first.lowercased()) {
            guard words.count == 1 else { throw ProgramError(.usage, "the embedded server has its own client id") }
            return .embedded
        }
        guard first.hasPrefix("http://") || first.hasPrefix("https://") else {
            throw ProgramError(
                .usage,
                "write embedded, or the address of the signing service and your client id, such as"
                    + " https://adss.example.org:8779/adss/signing/dss my_client")
        }
        guard let client = words.dropFirst().first, words.count == 2 else {
            throw ProgramError(
                .usage,
                "the client id under which the server knows you is missing: write it behind the address (--client)")
        }
        let verification = options.verificationServer ?? first.replacing("/signing/", with: "/verification/")
        guard verification != first else {
            throw ProgramError(
                .usage, "the address of the verification service cannot be guessed from it: say --verification-server")
        }
        return .remote(signing: first, verification: verification, client: client)
    }

    private static func nextHop(_ text: String) throws(ProgramError) -> SetupAnswers.NextHop {
        if text.lowercased() == "mx" { return .exchangers }
        guard let match = text.wholeMatch(of: /(?:\[([0-9a-fA-F:.]+)\]|([^\s:\[\]]+))(?::([0-9]+))?/),
            let host = match.1 ?? match.2, let port = Int(match.3 ?? "25"), (1...65_535).contains(port)
        else {
            throw ProgramError(
                .usage, "write host and port, such as 127.0.0.1:10025, or mx for the mail exchangers of each domain")
        }
        return .gateway(host: String(host), port: port)
    }

    private static func directions(_ text: String) throws(ProgramError) -> SetupAnswers.Directions {
        switch text.lowercased() {
        case "y", "yes", "both": return .both
        case "n", "no", "outgoing": return .outgoing
        case "incoming": return .incoming
        default: throw ProgramError(.usage, "write yes or no (or incoming, to sign nothing)")
        }
    }
}
