import ArgumentParser
import FoundationEssentials
import Glibc
import HostProcess
import Octets
import ProgramCommands
import SigningServer

/// The place of the configuration.
struct SiteOption: ParsableArguments {
    @Option(
        name: .customLong("config"),
        help: "The configuration (else the first of \(DSSSite.usualPaths.joined(separator: ", "))).")
    var path: String?

    func site() throws(ProgramError) -> DSSSite {
        try SiteOption.attempt(.configuration) { () throws(SiteError) in
            try DSSSite(path: path, environment: ProcessInfo.processInfo.environment)
        }
    }

    static func attempt<Value>(
        _ status: ExitStatus = .configuration, _ body: () throws(SiteError) -> Value
    ) throws(ProgramError) -> Value {
        do throws(SiteError) { return try body() } catch { throw ProgramError(status, "\(error)") }
    }

    static var now: Int { Int(time(nil)) }
}

/// The work after a change.
struct ChangeOptions: ParsableArguments {
    @OptionGroup var site: SiteOption
    @Flag(name: .customLong("no-reload"), help: "Do not tell a running server to read its configuration again.")
    var isQuiet = false

    /// Makes a change with the rights of the site's owner, prints it, and tells the server.
    func make(_ change: (DSSSite) throws(SiteError) -> SiteChange) throws(ProgramError) -> ExitStatus {
        let site = try self.site.site()
        return try make(in: site, change)
    }

    func make(
        in site: DSSSite, _ change: (DSSSite) throws(SiteError) -> SiteChange
    ) throws(ProgramError) -> ExitStatus {
        let done = try SiteOption.attempt { () throws(SiteError) in
            try site.becomeOwner()
            return try change(site)
        }
        for line in done.lines { Console.write(line) }
        for remark in done.remarks { Console.write("note: \(remark)") }
        if isQuiet {
            Console.write("a running server goes on as before: tell it with systemctl reload ses-dss, or kill -HUP")
        } else {
            Console.write(site.tellServer().text)
        }
        return .success
    }
}

/// The clients of a key that is added.
struct GrantOptions: ParsableArguments {
    @Option(name: .customLong("alias"), help: "The name by which clients ask for the key: a mail address, or a word.")
    var alias: String
    @Option(name: .customLong("client"), help: "A client who may use it (repeat it for more); else the only one.")
    var clients: [String] = []
    @Flag(name: .customLong("no-client"), help: "Grant it to nobody yet.")
    var isForNobody = false
    @Flag(name: .customLong("default"), help: "Make it the key of requests that name none.")
    var isDefault = false
    @Flag(name: .customLong("force"), help: "Take it in spite of faults of its certificate.")
    var isForced = false

    var addition: KeyAddition {
        var addition = KeyAddition(alias: alias)
        addition.clients = isForNobody ? [] : clients.isEmpty ? nil : clients
        addition.isDefault = isDefault
        addition.isForced = isForced
        return addition
    }
}

/// The password of a file that is read.
struct PasswordOption: ParsableArguments {
    @Option(
        name: .customLong("password-file"),
        help: "A file with the password in its first line (- for standard input); else it is asked for.")
    var path: String?

    func password(for file: String) throws(ProgramError) -> String? {
        if let path {
            let octets: [UInt8]
            if path == "-" {
                octets = Array((readLine(strippingNewline: true) ?? "").utf8)
            } else {
                switch SmallFile.read(path, limit: 4_096) {
                case .success(let read): octets = read.array
                case .failure(let error): throw ProgramError(.noInput, "\(error)")
                }
            }
            return String(decoding: octets.prefix { $0 != 0x0A && $0 != 0x0D }, as: UTF8.self)
        }
        return Question.secret("Password of \(file): ")
    }
}

/// Questions to the person at the terminal.
enum Question {
    static var hasTerminal: Bool { isatty(STDIN_FILENO) == 1 && isatty(STDERR_FILENO) == 1 }

    /// - Throws: ``ProgramError`` for a no, and where there is nobody to ask.
    static func confirm(_ question: String, isConfirmed: Bool) throws(ProgramError) {
        guard !isConfirmed else { return }
        guard hasTerminal else {
            throw ProgramError(.usage, "\(question) There is no terminal to ask at: --yes confirms it")
        }
        Console.prompt("\(question) [y/N] ")
        guard let answer = readLine(), ["y", "yes"].contains(answer.lowercased()) else {
            throw ProgramError(.unhealthy, "nothing was changed")
        }
    }

    /// Asks without an echo.
    /// - Returns: nil where there is nobody to ask.
    static func secret(_ question: String) -> String? {
        guard hasTerminal else { return nil }
        var former = termios()
        guard tcgetattr(STDIN_FILENO, &former) == 0 else { return nil }
        var silent = former
        silent.c_lflag &= ~tcflag_t(ECHO)
        Console.prompt(question)
        guard tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent) == 0 else { return nil }
        defer {
            tcsetattr(STDIN_FILENO, TCSAFLUSH, &former)
            Console.prompt("\n")
        }
        return readLine(strippingNewline: true)
    }
}
