"""Catalogues and registers of УНФ (Управление нашей фирмой).

``UNF`` holds sets whose names were seen in a recorded ``$metadata`` of a УНФ base or in public clients of one; a line
that begins with ``?`` holds names of fields that nobody showed us: general knowledge of the configuration. The
recording itself is not at hand, so the order of fields and their lengths are guesses throughout. ``UNF_GUESSED`` holds
the sets whose very names are such knowledge.

Known liberty: a shipment does not set off the advances of its order, so a debt and an advance of one contract stand
side by side, and only their sum is what the client owes.
"""

from stand.onec.schema.common import CONTACT_KINDS, CONTACTS, CURRENCIES, PLAN, TASK, USERS
from stand.onec.schema.unf_documents import UNF_DOCUMENTS

_SHIPPED = "Document_РасходнаяНакладная|Document_АктВыполненныхРабот"
_SUBJECTS = "Catalog_Контрагенты|Catalog_КонтактныеЛица|Document_ЗаказПокупателя|Document_СчетНаОплату|Document_Событие"

UNF_CATALOGS = f"""\
Catalog_Контрагенты
    Ref_Key:g Predefined:b PredefinedDataName:s150 DataVersion:s Description:s100 Code:s11
    Parent_Key:@Catalog_Контрагенты IsFolder:b DeletionMark:b НаименованиеПолное:t ВидКонтрагента:e ИНН:s12 КПП:s9
    АдресЭПДляПоиска:s100 НомерТелефонаДляПоиска:s100 Ответственный_Key:@Catalog_Сотрудники
    КонтактноеЛицо_Key:@Catalog_КонтактныеЛица ИННВведенКорректно:b ДатаСоздания:d Покупатель:b Поставщик:b
    ПрочиеОтношения:b Недействителен:b Комментарий:t Пол:e ДатаРождения:d ВидЦен_Key:@Catalog_ВидыЦен
    НаименованиеЯзык1:s100 НаименованиеЯзык2:s100
  ? КПППоОбособленномуПодразделению:s9 КодПоОКПО:s10 РегистрационныйНомер:s15 НалоговыйНомер:s30
  ? СтранаРегистрации_Key:g ГоловнойКонтрагент_Key:@Catalog_Контрагенты ОбособленноеПодразделение:b
  ? ДоговорПоУмолчанию_Key:@Catalog_ДоговорыКонтрагентов БанковскийСчетПоУмолчанию_Key:g ИсточникПривлечения_Key:g
  ? СрокОплатыПокупателя:i64 СрокОплатыПоставщику:i64 СчетУчетаРасчетовСПокупателем_Key:g
{CONTACTS}
      ОбратныйНомерТелефона:s20
  +ДополнительныеРеквизиты
      Свойство_Key:g Значение:*Catalog_Контрагенты|Catalog_Номенклатура ТекстоваяСтрока:t
  +Теги
  ? Тег_Key:g

Catalog_КонтактныеЛица
    Ref_Key:g Predefined:b PredefinedDataName:s150 DataVersion:s Description:s100 DeletionMark:b
  ? Code:s11 Owner:*Catalog_Контрагенты Ответственный_Key:@Catalog_Сотрудники Комментарий:t ДатаРождения:d Пол:e
  ? ДатаСоздания:d Должность:s100 Недействителен:b ДатаПрекращенияСвязи:d
{CONTACTS}
      ОбратныйНомерТелефона:s20
  +Роли
  ? Роль_Key:g

Catalog_ДоговорыКонтрагентов
    Ref_Key:g Predefined:b PredefinedDataName:s150 DataVersion:s Description:s150 Code:s9 Owner:*Catalog_Контрагенты
    DeletionMark:b ВидДоговора:e НомерДоговора:s50 ДатаДоговора:d ВалютаРасчетов_Key:@Catalog_Валюты
    Организация_Key:@Catalog_Организации ВидЦен_Key:@Catalog_ВидыЦен ВидЦенКонтрагента_Key:g Недействителен:b
    СрокОплатыПокупателя:i64
  ? Комментарий:t СрокДействия:d СрокОплатыПоставщику:i64 КонтактноеЛицо_Key:@Catalog_КонтактныеЛица
  ? ПроцентСкидки:n ДопустимаяСуммаЗадолженности:n Ответственный_Key:@Catalog_Сотрудники

Catalog_Организации
    Ref_Key:g Predefined:b PredefinedDataName:s150 DataVersion:s Description:s100 DeletionMark:b НаименованиеПолное:t
    НаименованиеСокращенное:s100 ИНН:s12 КПП:s9
  ? Code:f9 ЮридическоеФизическоеЛицо:e КодПоОКПО:s10 ОГРН:s15 Префикс:s2 БанковскийСчетПоУмолчанию_Key:g
  ? ПодписьРуководителя_Key:g ГоловнаяОрганизация_Key:@Catalog_Организации
{CONTACTS}

Catalog_Сотрудники
    Ref_Key:g Predefined:b PredefinedDataName:s150 DataVersion:s Description:s100 DeletionMark:b
  ? Code:s11 Parent_Key:@Catalog_Сотрудники IsFolder:b ТипЗанятости:e Физлицо_Key:g Комментарий:t Недействителен:b
{CONTACTS}

Catalog_КлассификаторЕдиницИзмерения
    Ref_Key:g Predefined:b PredefinedDataName:s150 DataVersion:s Description:s25 Code:f4 DeletionMark:b
  ? НаименованиеПолное:s100 МеждународноеСокращение:s3

Catalog_СтавкиНДС
    Ref_Key:g Predefined:b PredefinedDataName:s150 DataVersion:s Description:s50 DeletionMark:b Ставка:n
  ? НеОблагается:b Расчетная:b ВидСтавкиНДС:e

Catalog_Номенклатура
    Ref_Key:g Predefined:b PredefinedDataName:s150 DataVersion:s Description:s100 Code:s11
    Parent_Key:@Catalog_Номенклатура IsFolder:b DeletionMark:b Артикул:s25 Вес:n СрокГодности:i64
    КоличествоПериодовДействия:n ДатаИзменения:d ТипНоменклатуры:e
    ЕдиницаИзмерения_Key:@Catalog_КлассификаторЕдиницИзмерения РеквизитДопУпорядочиванияУНФ:i64
  ? НаименованиеПолное:t КатегорияНоменклатуры_Key:g СтавкаНДС_Key:@Catalog_СтавкиНДС Описание:t Комментарий:t
  ? ВидСтавкиНДС:e ИспользоватьХарактеристики:b ИспользоватьПартии:b Поставщик_Key:@Catalog_Контрагенты Объем:n
  ? СтранаПроисхождения_Key:g ФайлКартинки_Key:g Недействителен:b ДатаСоздания:d
  +ДополнительныеРеквизиты
      Свойство_Key:g Значение:*Catalog_Контрагенты|Catalog_Номенклатура ТекстоваяСтрока:t

Catalog_ХарактеристикиНоменклатуры
    Ref_Key:g Predefined:b PredefinedDataName:s150 DataVersion:s Description:s150 DeletionMark:b
  ? Owner:*Catalog_Номенклатура НаименованиеДляПечати:t

Catalog_СтруктурныеЕдиницы
    Ref_Key:g Predefined:b PredefinedDataName:s150 DataVersion:s Description:s100 DeletionMark:b
    ТипСтруктурнойЕдиницы:e
  ? Code:s9 Parent_Key:@Catalog_СтруктурныеЕдиницы Организация_Key:@Catalog_Организации Недействителен:b
  ? ОрдерныйСклад:b МОЛ_Key:g РозничныйВидЦен_Key:@Catalog_ВидыЦен
{CONTACTS}

Catalog_ВидыЦен
    Ref_Key:g Predefined:b PredefinedDataName:s150 DataVersion:s Description:s100 Code:s9 DeletionMark:b
    ВалютаЦены_Key:@Catalog_Валюты ЦенаВключаетНДС:b ТипВидаЦен:e ЦеныАктуальны:b
  ? ИдентификаторВидаЦен:s30 Комментарий:t

Catalog_СостоянияЗаказовПокупателей
    Ref_Key:g Predefined:b PredefinedDataName:s150 DataVersion:s Description:s100 DeletionMark:b
  ? СтатусЗаказа:e РеквизитДопУпорядочивания:i64

{CURRENCIES}
{USERS}
{TASK.format(subjects=_SUBJECTS)}
{PLAN}
InformationRegister_ЦеныНоменклатуры independent
  dim
      ВидЦен_Key:@Catalog_ВидыЦен Номенклатура_Key:@Catalog_Номенклатура
      Характеристика_Key:@Catalog_ХарактеристикиНоменклатуры
  res
      Цена:n Актуальность:b
  att
  ? ЕдиницаИзмерения:*Catalog_КлассификаторЕдиницИзмерения|Catalog_ЕдиницыИзмерения Автор_Key:@Catalog_Пользователи

AccumulationRegister_ЗапасыНаСкладах balance
  dim
      СтруктурнаяЕдиница_Key:@Catalog_СтруктурныеЕдиницы Номенклатура_Key:@Catalog_Номенклатура
  ? Организация_Key:@Catalog_Организации Характеристика_Key:@Catalog_ХарактеристикиНоменклатуры Партия_Key:g
  ? Ячейка_Key:g
  res
      Количество:n

AccumulationRegister_РасчетыСПокупателями balance
  dim
      Организация_Key:@Catalog_Организации ТипРасчетов:e Контрагент_Key:@Catalog_Контрагенты
      Договор_Key:@Catalog_ДоговорыКонтрагентов Заказ:*Document_ЗаказПокупателя
  ? Документ:*{_SHIPPED}|Document_ПоступлениеНаСчет|Document_ПоступлениеВКассу
  ? СчетНаОплату_Key:@Document_СчетНаОплату
  res
      Сумма:n СуммаВал:n
  att
  ? СодержаниеПроводки:s100

AccumulationRegister_Продажи turnover
  dim
      Номенклатура_Key:@Catalog_Номенклатура Характеристика_Key:@Catalog_ХарактеристикиНоменклатуры
      Организация_Key:@Catalog_Организации Контрагент_Key:@Catalog_Контрагенты
  ? ЗаказПокупателя_Key:@Document_ЗаказПокупателя Документ:*{_SHIPPED}
  ? Ответственный_Key:@Catalog_Сотрудники Подразделение_Key:@Catalog_СтруктурныеЕдиницы
  res
      Количество:n Сумма:n СуммаНДС:n Себестоимость:n
"""

UNF_GUESSED = f"""\
{CONTACT_KINDS}
Catalog_ЕдиницыИзмерения
    Ref_Key:g Predefined:b PredefinedDataName:s150 DataVersion:s Description:s50 Owner:*Catalog_Номенклатура
    DeletionMark:b
    ЕдиницаИзмеренияПоКлассификатору_Key:@Catalog_КлассификаторЕдиницИзмерения Коэффициент:n Вес:n Объем:n

AccumulationRegister_ЗаказыПокупателей balance
  dim
      Организация_Key:@Catalog_Организации ЗаказПокупателя_Key:@Document_ЗаказПокупателя
      Номенклатура_Key:@Catalog_Номенклатура Характеристика_Key:@Catalog_ХарактеристикиНоменклатуры
  res
      Количество:n
"""

UNF = UNF_CATALOGS + "\n" + UNF_DOCUMENTS
